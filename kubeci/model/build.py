"""A build: the request for one, and our record of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """The wish that a commit be built, as an event expressed it.

    `id` is the same whenever the same event is handled again: workflow name and check-run are found by it.
    `automatic` builds obey the build policy; the others were asked for by a person.
    """

    id: str
    commit: Commit
    ref: Ref
    automatic: bool
    entrypoint: str = ""
    """The template to start; empty: the one the definition names."""
    repository_object: JsonObject | None = None
    """GitHub's repository object, handed to Starlark as `input.repo`."""
    event: JsonObject | None = None
    """The event's payload, handed to Starlark as `input.event`."""


class BuildState(StrEnum):
    """How far a build has come, as we know it."""

    SUBMITTING = "submitting"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Build:
    """Our record of a build: the authority for what may be written to GitHub about a workflow."""

    id: str
    commit: Commit
    ref: Ref
    entrypoint: str
    check_name: str
    namespace: str
    workflow_name: str
    created_at: datetime
    workflow_uid: str = ""
    check_run_id: int = 0
    """0: not created yet."""
    state: BuildState = BuildState.SUBMITTING
    superseded_by: str = ""
    """The id of the newer build of the same branch and entrypoint, if there is one."""
    warnings: tuple[str, ...] = ()
    """What the author should know of the definition."""
    prints: tuple[str, ...] = ()
    """What the definition printed while it was evaluated."""
