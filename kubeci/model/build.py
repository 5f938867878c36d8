"""A build: the request for one, and our record of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref
from kubeci.model.source import PullRequest
from kubeci.model.trust import Person, What


@dataclass(frozen=True, slots=True)
class DeploymentRequest:
    """A GitHub deployment that asks for a run; its statuses are written to that deployment."""

    id: int
    environment: str


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """The wish that a commit be built, as an event expressed it.

    `id` is the same whenever the same event is handled again: workflow name and check-run are found by it.
    `automatic` builds obey the build policy; the others were asked for by a person. One that is automatic and a
    `command` is the automatic build that somebody lets happen.
    """

    id: str
    commit: Commit
    ref: Ref
    automatic: bool
    entrypoint: str = ""
    """The template to start; empty: the one the definition names."""
    what: What = What.PUSH
    """What asked for it."""
    actor: Person | None = None
    """Who asked for it, where that decides."""
    first_time: bool = False
    """The actor never contributed before."""
    head_repository: str = ""
    """`owner/name` of the fork that the commit comes from; empty: this repository."""
    before: str = ""
    """The sha that the changed files are counted from, where no pull request says it; empty: not known."""
    pull_request: PullRequest | None = None
    """The pull request that the event is about."""
    changed_files: tuple[str, ...] | None = None
    """The files that the commit changes, relative to the repository; None: not known, or nobody asked."""
    repository_object: JsonObject | None = None
    """GitHub's repository object, handed to Starlark as `input.repo`."""
    event: JsonObject | None = None
    """The event's payload, handed to Starlark as `input.event`."""
    deployment: DeploymentRequest | None = None
    """The deployment that asks for it; `entrypoint` is then its task."""
    of_build: str = ""
    """Id of the build on whose check-run somebody asked for it."""
    delivery_id: str = ""
    """The delivery that asked for it; empty: a request of the API did."""
    wanted_at: datetime | None = None
    """Since when it is wanted, where that is later than the event: its delivery was replayed or redelivered."""
    title: str = ""
    """What people know the commit by, once it was read."""
    files: Mapping[str, str] | None = None
    """CI files in place of the commit's own, by path within the CI folder."""


class BuildState(StrEnum):
    """How far a build has come, as we know it."""

    SUBMITTING = "submitting"
    RUNNING = "running"
    FINISHED = "finished"
    SKIPPED = "skipped"
    """Concluded without a run; another base of its pull request may ask for one."""
    LOST = "lost"
    """Concluded without a workflow, since nobody could submit it; the same wish may take it up once more."""
    OFFERED = "offered"
    """A manual step that nobody has run yet: a check-run with buttons, without a workflow."""


@dataclass(frozen=True, slots=True)
class ManualStep:
    """A template that is offered as a manual step; an essential one blocks until somebody acts."""

    template: str
    essential: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build's definition says of what comes beside and after its workflow."""

    manual: tuple[ManualStep, ...] = ()
    """Offered when it has succeeded; for an offered build the step itself."""
    deploy_templates: str = ""
    """RE2 searched in template names: their nodes are deployments; empty: none is."""
    cache_claim: str = ""
    """Name of the claim that the workflow mounts; empty: it has no cache."""
    cache_scope: str = ""
    default_branch: bool = False
    """The build is one of the repository's default branch."""


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
    nonce: str = ""
    """What nobody can guess; the workflow carries it, so that no other is taken for it."""
    workflow_uid: str = ""
    check_run_id: int = 0
    """0: not created yet."""
    state: BuildState = BuildState.SUBMITTING
    superseded_by: str = ""
    """The id of the newer build of the same branch and entrypoint, if there is one."""
    warnings: tuple[str, ...] = ()
    """What the author should know of the definition."""
    head_repository: str = ""
    """`owner/name` of the fork that the commit comes from; empty: this repository."""
    pull_request: int = 0
    """Number of the pull request that it is built for; 0: none."""
    stopped: str = ""
    """Why it was stopped, where no newer build is the reason."""
    stop_wish: str = ""
    """Identifies the wish by which somebody stopped it."""
    prints: tuple[str, ...] = ()
    """What the definition printed while it was evaluated."""
    loaded: tuple[str, ...] = ()
    """What the definition loaded from elsewhere, each with the sha that it was read at."""
    what: What = What.PUSH
    """What asked for it."""
    actor: str = ""
    """Login of who asked for it, where that is known."""
    title: str = ""
    """Title of the pull request, or the first line of the commit's message."""
    environment: str = ""
    """The environment that it deploys to, where a deployment asked for it."""
    deployment_id: int = 0
    """The GitHub deployment that asked for it; 0: none did."""
    plan: Plan = field(default_factory=Plan)
    conclusion: str = ""
    """How its check-run was concluded; empty while it is not."""
    former_conclusion: str = ""
    """The same of the attempt before, where its workflow was retried."""
    finished_at: datetime | None = None
    """When its workflow ended, as far as it has one."""
    delivery_id: str = ""
    """The delivery that asked for it; empty: a request of the API did."""
    retry_wish: str = ""
    """Identifies the wish by which its workflow was retried last."""
    retried_check_run: int = 0
    """The check-run that it had then; another one since means that the retry was seen."""
