"""GitHub's events, reduced to the fields that decide what happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kubeci.model.conversation import Post
from kubeci.model.json import JsonObject
from kubeci.model.repository import Ref, Repository
from kubeci.model.source import PullRequest
from kubeci.model.trust import Person


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request as it was received and stored, its signature already verified."""

    id: str
    event: str
    payload: bytes
    """The JSON document, UTF-8."""
    received_at: datetime
    attempts: int = 0
    wait_seconds: float = 0.0
    """How long its work waits for another delivery that may make it needless."""
    reason: str = ""
    """What came of the last attempt."""
    repository: str = ""
    """`owner/name` of what it is about, as far as it says that."""
    sha: str = ""
    """The commit that it is about, as far as it names one."""
    wanted_anew_at: datetime | None = None
    """When it was replayed or redelivered after its work had ended; None: it was not."""
    lost: int = 0
    """How many attempts in a row ended with their process."""

    @property
    def wanted_at(self) -> datetime:
        """Say since when its work is wanted, from which the time is counted that it may take."""
        return self.wanted_anew_at or self.received_at


@dataclass(frozen=True, slots=True)
class CheckSuiteEvent:
    """`check_suite` requested or rerequested."""

    repository: Repository
    action: str
    app_id: int
    head_sha: str
    head_branch: str
    """Empty for commits of forks, where GitHub sends null."""
    sender: Person
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CheckRunEvent:
    """`check_run` rerequested, or requested_action, where `identifier` is the button's."""

    repository: Repository
    action: str
    app_id: int
    check_run_id: int
    external_id: str
    head_sha: str
    head_branch: str
    sender: Person
    payload: JsonObject
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class TagCreatedEvent:
    """`create` of a tag; GitHub names the tag, not its commit."""

    repository: Repository
    tag: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class PushEvent:
    """`push` of a commit to a branch; `message` is its head commit's."""

    repository: Repository
    branch: str
    head_sha: str
    message: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class PullRequestEvent:
    """`pull_request` in one of the actions that may ask for a build, or end one.

    `first_time`: GitHub calls the author a first-time contributor. `merge_sha` is the commit that a merge left in the
    base branch; empty: it was not merged.
    """

    repository: Repository
    action: str
    pull_request: PullRequest
    head_sha: str
    head_ref: str
    author: Person
    first_time: bool
    merge_sha: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class MergeGroupEvent:
    """`merge_group` checks_requested: a commit of the merge queue."""

    repository: Repository
    branch: str
    head_sha: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class DeploymentEvent:
    """`deployment` created with `payload.kube_ci.run`; `ref` is what the run's workflow is told it is built from."""

    repository: Repository
    deployment_id: int
    task: str
    environment: str
    sha: str
    ref: Ref
    sender: Person
    payload: JsonObject
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CommentEvent:
    """`issue_comment` created, or `issues` opened: somebody wrote `text`."""

    post: Post
    text: str
    author: Person
    payload: JsonObject

    @property
    def repository(self) -> Repository:
        """Give the repository in which it was written."""
        return self.post.repository


@dataclass(frozen=True, slots=True)
class BranchDeletedEvent:
    """`delete` of a branch."""

    repository: Repository
    branch: str


@dataclass(frozen=True, slots=True)
class RepositoryGoneEvent:
    """`repository` archived or deleted."""

    repository: Repository
    action: str


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """An event that asks nothing of us; `reason` names it and says why.

    `known`: it is of a kind that may ask for something, so that its delivery is kept with the reason; others, of which there
    are many, are not. What it is about is empty where it names none.
    """

    reason: str
    known: bool = False
    repository: str = ""
    sha: str = ""


Event: TypeAlias = (
    CheckSuiteEvent
    | CheckRunEvent
    | TagCreatedEvent
    | PushEvent
    | PullRequestEvent
    | MergeGroupEvent
    | DeploymentEvent
    | CommentEvent
    | BranchDeletedEvent
    | RepositoryGoneEvent
    | IgnoredEvent
)


def about(event: Event) -> tuple[str, str]:
    """Give what an event is about: the repository `owner/name`, and the sha of the commit; each empty where it names none."""
    if isinstance(event, IgnoredEvent):
        return event.repository, event.sha
    sha = getattr(event, "head_sha", "") or getattr(event, "sha", "")
    return event.repository.full_name, sha
