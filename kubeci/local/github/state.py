"""What the local GitHub remembers besides git: accounts, installations, repositories, conversations, checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from kubeci.local.github.auth import App, InstallationToken
from kubeci.model.app_needs import EVENTS, wanted_permissions
from kubeci.model.json import JsonObject

if TYPE_CHECKING:
    from kubeci.local.github.conversation import Comment, Issue, Reaction
    from kubeci.local.github.deployment import Deployment

Clock: TypeAlias = Callable[[], datetime]
OwnerType: TypeAlias = Literal["Organization", "User"]
Role: TypeAlias = Literal["admin", "maintain", "write", "triage", "read", "none"]

RUNS_KEPT = 5_000  # the oldest check-runs go first; a demo never gets there, a load test does
ALL_PERMISSIONS: dict[str, str] = {**wanted_permissions()}

APP_EVENTS = sorted({"deployment_status", *(each.event for each in EVENTS)})


def utc_now() -> datetime:
    """Give the time of day, in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Write a time as GitHub does: `2026-01-31T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Account:
    """A user, a bot or an organisation."""

    id: int
    login: str
    type: OwnerType | Literal["Bot"]


@dataclass(slots=True)
class Installation:
    """The App on one account; `repositories` None means all of the account's."""

    id: int
    account: Account
    permissions: dict[str, str]
    created_at: datetime
    repositories: set[int] | None = None
    suspended_at: datetime | None = None
    suspended_by: Account | None = None
    events: list[str] | None = None  # None: all that the App subscribes to

    def holds(self, repository: Repository) -> bool:
        """Say whether the App is installed on a repository."""
        return self.account == repository.owner and (
            self.repositories is None or repository.id in self.repositories
        )


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation's member; who is not public is seen by those only who may read members."""

    public: bool = True
    owner: bool = False


@dataclass(slots=True)
class Repository:
    """A repository: its bare git folder and the little that git does not hold.

    `required` names the checks without which GitHub merges no pull request into the default branch.
    """

    id: int
    owner: Account
    name: str
    path: Path
    default_branch: str
    private: bool
    created_at: datetime
    pushed_at: datetime
    parent: Repository | None = None
    archived: bool = False
    deleted: bool = False  # what a pull request from a deleted fork still points at
    required: set[str] = field(default_factory=set)
    last_number: int = 0
    """Of its issues and pull requests, which share their numbers."""

    @property
    def full_name(self) -> str:
        """Give `owner/name`."""
        return f"{self.owner.login}/{self.name}"


@dataclass(frozen=True, slots=True)
class MergeGroup:
    """A pull request's place in the merge queue: the branch that holds its merge commit."""

    branch: str
    head_sha: str
    base_sha: str


@dataclass(slots=True)
class PullRequest:
    """A pull request; its head may stand in another repository."""

    id: int
    number: int
    base: Repository
    base_ref: str
    head: Repository
    head_ref: str
    title: str
    user: Account
    created_at: datetime
    updated_at: datetime
    head_sha: str = ""  # what `refs/pull/N/head` of the base repository holds
    body: str | None = None
    draft: bool = False
    state: Literal["open", "closed"] = "open"
    labels: list[str] = field(default_factory=list)
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit_sha: str | None = None
    merged_into: str | None = None  # where the base branch stood before
    group: MergeGroup | None = None

    @property
    def repository(self) -> Repository:
        """Give the repository that it stands in."""
        return self.base

    @property
    def from_fork(self) -> bool:
        """Say whether the head stands in another repository."""
        return self.head is not self.base

    @property
    def label(self) -> str:
        """Give `owner:branch` of the head."""
        return f"{self.head.owner.login}:{self.head_ref}"


@dataclass(slots=True)
class CheckSuite:
    """The checks of one App on one commit; `head_branch` is the branch first pushed with it."""

    id: int
    repository: Repository
    head_sha: str
    head_branch: str | None
    before: str | None
    created_at: datetime
    updated_at: datetime
    head_commit: JsonObject
    reopened: bool = False  # asked for again, and nothing has come since
    pusher: Account | None = None  # whose push made it


@dataclass(slots=True)
class CheckRun:
    """A check-run; `annotations` hold GitHub's keys, defaults filled in."""

    id: int
    suite: CheckSuite
    name: str
    status: str
    conclusion: str | None
    started_at: str | None
    completed_at: str | None
    details_url: str
    external_id: str
    output: dict[str, str | None] = field(default_factory=dict)
    annotations: list[JsonObject] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)


class State:
    """All of it, in memory; built with the App and a clock."""

    def __init__(self, app: App, now: Clock) -> None:
        self.app = app
        self.app_permissions = dict(ALL_PERMISSIONS)
        self.app_events = list(APP_EVENTS)
        self.now = now
        self.base_url = ""
        self.accounts: dict[str, Account] = {}
        self.installations: dict[int, Installation] = {}
        self.repositories: dict[int, Repository] = {}
        self.pull_requests: list[PullRequest] = []
        self.issues: list[Issue] = []
        self.comments: dict[int, Comment] = {}
        self.reactions: dict[int, list[Reaction]] = {}  # by the id of what they were put on
        self.deployments: dict[int, Deployment] = {}
        self.queue: list[PullRequest] = []  # the merge queues of all branches, in the order of joining
        self.members: dict[tuple[int, int], Member] = {}  # by ids of organisation and user
        self.collaborators: dict[tuple[int, int], Role] = {}  # by ids of repository and user
        self.suites: dict[int, CheckSuite] = {}
        self.runs: dict[int, CheckRun] = {}
        self.tokens: dict[str, InstallationToken] = {}
        # By the clock, so that a GitHub that is started again over the same folder gives no id a second time.
        self._ids: Iterator[int] = count(int(now().timestamp() * 10))

    def new_id(self) -> int:
        """Give an id that nothing else here has."""
        return next(self._ids)

    def account(self, login: str, type_: OwnerType = "Organization") -> Account:
        """Find an account, creating it with its installation of the App on first use."""
        if found := self.accounts.get(login.lower()):
            return found
        account = Account(self.new_id(), login, type_)
        self.accounts[login.lower()] = account
        self.install(account)
        return account

    def install(self, account: Account, repositories: set[int] | None = None) -> Installation:
        """Install the App on an account, with all that it asks for."""
        installation = Installation(self.new_id(), account, dict(ALL_PERMISSIONS), self.now(), repositories)
        return self.installations.setdefault(installation.id, installation)

    def user(self, login: str) -> Account:
        """Find a user, creating one without an installation on first use: who pushes or presses."""
        if found := self.accounts.get(login.lower()):
            return found
        kind: Literal["Bot", "User"] = "Bot" if login.endswith("[bot]") else "User"
        return self.accounts.setdefault(login.lower(), Account(self.new_id(), login, kind))

    def installation_of(self, account: Account) -> Installation | None:
        """Find the App's installation on an account."""
        return next((i for i in self.installations.values() if i.account == account), None)

    def installed_on(self, repository: Repository) -> Installation | None:
        """Find the installation that hears of a repository; None for one that is suspended or holds others only."""
        found = self.installation_of(repository.owner)
        return found if found and found.holds(repository) and found.suspended_at is None else None

    def repository(self, full_name: str) -> Repository | None:
        """Find a repository by `owner/name`, in any case of letters."""
        wanted = full_name.lower()
        return next((r for r in self.repositories.values() if r.full_name.lower() == wanted), None)

    def forget(self, repository: Repository) -> None:
        """Drop what stood in a deleted repository."""
        del self.repositories[repository.id]
        self.issues = [issue for issue in self.issues if issue.repository is not repository]
        self.pull_requests = [pull for pull in self.pull_requests if pull.base is not repository]
        self.queue = [pull for pull in self.queue if pull.base is not repository]
        self.comments = {i: c for i, c in self.comments.items() if c.thread.repository is not repository}
        self.deployments = {i: d for i, d in self.deployments.items() if d.repository is not repository}

    def reaches(self, token: InstallationToken, repository: Repository) -> bool:
        """Say whether a token's installation and narrowing hold a repository."""
        installation = self.installations.get(token.installation_id)
        return (
            installation is not None
            and installation.holds(repository)
            and (token.repositories is None or repository.id in token.repositories)
        )

    def suite_of(self, repository: Repository, head_sha: str) -> CheckSuite | None:
        """Find the one suite of a commit."""
        return next(
            (s for s in self.suites.values() if s.head_sha == head_sha and s.repository is repository), None
        )

    def runs_of(self, suite: CheckSuite) -> list[CheckRun]:
        """List a suite's check-runs, newest first."""
        return [run for run in reversed(self.runs.values()) if run.suite is suite]

    def add_run(self, run: CheckRun) -> None:
        """Remember a check-run, forgetting the oldest when there are too many."""
        self.runs[run.id] = run
        while len(self.runs) > RUNS_KEPT:
            del self.runs[next(iter(self.runs))]

    def pulls_of(self, repository: Repository, head_ref: str | None) -> list[PullRequest]:
        """List the open pull requests of a branch of this repository, into this repository."""
        return [
            pull
            for pull in self.pull_requests
            if pull.head is repository
            and pull.base is repository
            and pull.head_ref == head_ref
            and pull.state == "open"
        ]
