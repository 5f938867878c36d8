"""What the use cases need of GitHub."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from kubeci.model.attempt import Attempt, AttemptPage
from kubeci.model.check_run import Annotation, CheckRun
from kubeci.model.conversation import Post, PullRequestHead, Reaction
from kubeci.model.deployment import Deployment, DeploymentStatus
from kubeci.model.heads import Head, Installation, Installed
from kubeci.model.json import JsonObject
from kubeci.model.report import Budget
from kubeci.model.repository import Commit, Repository
from kubeci.model.source import CommitSource


class Commits(Protocol):
    """Reads of a repository's content."""

    async def read(self, commit: Commit, context_path: str) -> CommitSource:
        """Read the CI context, the open pull requests and the message of a commit, in one request."""

    async def changed_files(self, repository: Repository, base: str, head: str) -> tuple[str, ...] | None:
        """List the files that `head` changed since its merge base with `base`; None: too many to be listed."""

    async def tag_commit(self, repository: Repository, tag: str) -> str:
        """Give the sha of the commit that a lightweight or annotated tag stands for."""

    async def resolve(self, repository: Repository, ref: str) -> str:
        """Give the sha of the commit that a ref (`heads/x`, `tags/x`) or a sha stands for; `NotFound` when it is none."""


class People(Protocol):
    """What people may do in a repository."""

    async def may_write(self, repository: Repository, login: str) -> bool:
        """Say whether somebody may write to a repository, by whatever way."""

    async def is_member(self, repository: Repository, login: str) -> bool:
        """Say whether somebody is a member of the organisation that owns a repository."""


class Repositories(Protocol):
    """Repositories by name, for wishes that come without a webhook."""

    async def find(self, owner: str, name: str) -> Repository:
        """Find a repository with the installation that lets us in; `NotFound` when the App is not installed there."""

    async def read(self, repository: Repository) -> JsonObject:
        """Read GitHub's repository object."""


class PullRequests(Protocol):
    """Pull requests as of now."""

    async def read(self, repository: Repository, number: int) -> PullRequestHead:
        """Read a pull request; `NotFound` when there is none of this number."""


class Conversation(Protocol):
    """What we say on pull requests and issues."""

    async def react(self, post: Post, reaction: Reaction) -> None:
        """Answer a comment, or the text of an issue, with a reaction; repeating it changes nothing."""

    async def reply(self, post: Post, text: str) -> None:
        """Write a comment under the one that is answered; `text` is Markdown."""


class Contents(Protocol):
    """Writes of a repository's content."""

    async def write(self, repository: Repository, branch: str, path: str, text: str, message: str) -> bool:
        """Commit a file to a branch; False: it has this text already. `Forbidden` where the App may not write."""


class HookDeliveries(Protocol):
    """What GitHub delivered to the App's webhook, or tried to, in the last three days."""

    async def page(self, cursor: str = "") -> AttemptPage:
        """Read some attempts, the newest ones without a cursor."""

    async def redeliver(self, attempt: Attempt) -> None:
        """Ask for a delivery once more; `NotFound` or `Invalid` when GitHub has it no more."""


class Heads(Protocol):
    """Where the App is installed, and where branches and pull requests stand there."""

    async def installations(self) -> list[Installation]:
        """List where the App is installed and not suspended."""

    async def repositories(self, installation: Installation) -> list[Installed]:
        """List the repositories of an installation that can be built."""

    async def heads(self, repository: Repository, since: datetime) -> list[Head]:
        """Read all branches, and the open pull requests to which something happened since a moment."""

    async def event(self, installed: Installed, head: Head, action: str) -> tuple[str, bytes]:
        """Make the event that GitHub would have sent of a head: its name and its payload; `action` of pull requests."""


class Deployments(Protocol):
    """GitHub deployments."""

    async def create(self, repository: Repository, deployment: Deployment) -> int:
        """Create a deployment; give its id. The caller looks for an earlier one before a repetition."""

    async def find(self, repository: Repository, deployment: Deployment) -> int | None:
        """Find the newest deployment with this ref, task, environment and payload."""

    async def set_status(self, repository: Repository, deployment_id: int, status: DeploymentStatus) -> None:
        """Add a status to a deployment."""


class Checks(Protocol):
    """Check-runs of our App."""

    async def create(self, commit: Commit, check: CheckRun, annotations: Iterable[Annotation] = ()) -> int:
        """Create a check-run with at most 50 annotations; give its id.

        The caller looks for an earlier one before a repetition.
        """

    async def update(
        self,
        repository: Repository,
        check_run_id: int,
        check: CheckRun,
        annotations: Iterable[Annotation] = (),
    ) -> None:
        """Bring a check-run to this content and append these annotations (at most 50)."""

    async def find(self, commit: Commit, check: CheckRun) -> int | None:
        """Find the check-run of ours with this name and details URL on the commit."""

    async def annotations_count(self, repository: Repository, check_run_id: int) -> int:
        """Count the annotations that GitHub holds for a check-run."""

    async def begun_at(self, repository: Repository, check_run_id: int) -> datetime | None:
        """Give when a check-run was begun, by GitHub's clock, in whole seconds; None: GitHub does not say it."""

    def budget(self, repository: Repository) -> Budget:
        """Say what is left of the installation's requests, as of the last answer."""
