"""What a workflow's state amounts to on GitHub, and what was already said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kubeci.model.check_run import Annotation, CheckRun


@dataclass(frozen=True, slots=True)
class NodeLog:
    """What is kept of one pod's log, read when its node ended.

    `tail` holds the last lines, `missing` says why there is no log (empty: it was read). `ended_at` tells two attempts of
    the same node apart. `failures` counts the reads that failed so far; 0: there is nothing more to read. `refused`: the cluster
    does not let us read it.
    """

    node_id: str
    ended_at: str = ""
    annotations: tuple[Annotation, ...] = ()
    tail: tuple[str, ...] = ()
    missing: str = ""
    failures: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """What GitHub was last told about a build.

    `digest` identifies the content, `written_at` is when it was sent (None: nothing yet beyond the creation),
    `annotations` counts those GitHub has accepted; `completed` says that the conclusion was accepted.
    """

    digest: str = ""
    written_at: datetime | None = None
    writes: int = 0
    annotations: int = 0
    completed: bool = False
    sending: bool = False
    """Annotations are on their way: when this is read again, GitHub must be asked how many arrived."""


@dataclass(frozen=True, slots=True)
class DeploymentTold:
    """What GitHub was last told of a node's deployment; `deployment_id` 0: it is being created.

    `refused` says why GitHub did not take `state`, which is not tried again; `failures` counts the tries for the next.
    """

    deployment_id: int = 0
    state: str = ""
    environment: str = ""
    environment_url: str = ""
    refused: str = ""
    failures: int = 0


@dataclass(frozen=True, slots=True)
class StepSeen:
    """One step of a workflow as it was last seen, for the server's pages; times are ISO 8601, empty while absent."""

    node_id: str
    label: str
    type: str
    phase: str
    depth: int = 0
    message: str = ""
    started_at: str = ""
    finished_at: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a build's workflow and check-run looked like last."""

    phase: str = ""
    check: CheckRun | None = None
    steps: tuple[StepSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """What an installation may still ask of GitHub before the limit's window ends (`x-ratelimit-*`)."""

    remaining: int
    limit: int
    strained_seconds: float = 0.0
    """For so long progress is to stay behind creations and conclusions, since GitHub asked us to hold back lately."""
