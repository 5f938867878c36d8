"""The narrow interfaces that the use cases need; adapters fulfil them, one verb group each.

Errors of every port are those of `kubeci.errors`: `NotFound`, `Conflict`, `Invalid`, `Forbidden`, `RateLimited`,
or a plain `UpstreamError` that says whether trying again can help.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from kubeci.model.build import Build
from kubeci.model.check_run import Annotation, CheckRun
from kubeci.model.conversation import Post, PullRequestHead, Reaction
from kubeci.model.deployment import Deployment, DeploymentState, DeploymentStatus
from kubeci.model.event import Delivery
from kubeci.model.json import JsonObject
from kubeci.model.module import ModuleFile
from kubeci.model.report import Budget, DeploymentTold, NodeLog, Outcome, Reported
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.source import CommitSource
from kubeci.model.watch import Change


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


class Deployments(Protocol):
    """GitHub deployments."""

    async def create(self, repository: Repository, deployment: Deployment) -> int:
        """Create a deployment; give its id. The caller looks for an earlier one before a repetition."""

    async def find(self, repository: Repository, deployment: Deployment) -> int | None:
        """Find the newest deployment with this ref, task, environment and payload."""

    async def set_status(self, repository: Repository, deployment_id: int, status: DeploymentStatus) -> None:
        """Add a status to a deployment."""


class People(Protocol):
    """What people may do in a repository."""

    async def may_write(self, repository: Repository, login: str) -> bool:
        """Say whether somebody may write to a repository, by whatever way."""

    async def is_member(self, repository: Repository, login: str) -> bool:
        """Say whether somebody is a member of the organisation that owns a repository."""


class RepositoryFiles(Protocol):
    """Files of any repository, for definitions that load them."""

    async def read(self, build: Repository, full_name: str, revision: str, path: str) -> ModuleFile:
        """Read a file of `owner/name` for a build of another repository, as far as that repository's installation reaches.

        `revision` is a branch, tag or sha; empty: the default branch. `NotFound` says why there is none.
        """


class WebFiles(Protocol):
    """Files of the public web, for definitions that load them."""

    async def read(self, url: str) -> ModuleFile:
        """Fetch an https address, without any credentials; `NotFound` when the server has no such file."""


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

    def budget(self, repository: Repository) -> Budget:
        """Say what is left of the installation's requests, as of the last answer."""


class Workflows(Protocol):
    """Argo workflows of the cluster."""

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Create a workflow and give it back as the API server holds it; `Conflict` when the name exists."""

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one workflow."""

    async def template(self, namespace: str, name: str, *, cluster_scope: bool) -> JsonObject:
        """Read a WorkflowTemplate, or with `cluster_scope` a ClusterWorkflowTemplate, which has no namespace."""

    async def stop(self, namespace: str, name: str, *, terminate: bool = False) -> None:
        """Ask Argo to stop a workflow; its exit handlers run (`spec.shutdown: Stop`), unless it is to `terminate`."""

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Merge annotations into a workflow's metadata."""


class Retries(Protocol):
    """What argo-server alone can do."""

    async def retry(self, namespace: str, name: str) -> None:
        """Run the failed nodes of an ended workflow again; `NotFound`, `Invalid` when that cannot be done."""


class Claims(Protocol):
    """Persistent volume claims of the cluster, and the pods that hold them."""

    async def get(self, namespace: str, name: str) -> JsonObject:
        """Read one claim."""

    async def create(self, manifest: JsonObject) -> JsonObject:
        """Create a claim; `Conflict` when the name exists, `Invalid` with the server's words on what is wrong."""

    async def labelled(self, namespace: str, labels: Mapping[str, str]) -> list[JsonObject]:
        """List the claims that carry all of these labels."""

    async def delete(self, namespace: str, name: str) -> None:
        """Delete a claim; it goes when no pod holds it any more. `NotFound` when it is not there."""

    async def delete_pods_of(self, namespace: str, claim: str) -> int:
        """Delete the pods that mount a claim; gives their number."""


class WorkflowFeed(Protocol):
    """The state of all our workflows, now and as it changes."""

    def follow(self) -> AsyncGenerator[Change, None]:
        """List, then watch, for ever; a lost watch is taken up again or begins with a new list."""


class PodLogs(Protocol):
    """Logs of a workflow's pods."""

    def read(
        self, namespace: str, pod: str, container: str, *, follow: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Stream a container's log in chunks of any size, with `follow` until it ends; `NotFound` when the pod is gone."""


class Announcer(Protocol):
    """Tells people beyond GitHub of what ended; both return at once, and what cannot be told is dropped."""

    def build_ended(self, build: Build, check: CheckRun, previous: Build | None) -> None:
        """Tell of a build of the default branch; `previous` is the newest earlier one of its name that succeeded or failed."""

    def deployment_ended(self, build: Build, environment: str, state: DeploymentState, url: str) -> None:
        """Tell of a deployment; `url` is where it is seen."""


class Inbox(Protocol):
    """Deliveries that wait for their work."""

    async def add(self, delivery: Delivery) -> bool:
        """Store a delivery; False: it is known and its work is done or under way."""

    async def claim(self, now: datetime) -> Delivery | None:
        """Take the oldest delivery that is due, marking it as being worked on."""

    async def next_due(self) -> datetime | None:
        """Say when the next waiting delivery is due; None: nothing waits."""

    async def done(self, delivery_id: str, reason: str) -> None:
        """Record what came of a delivery."""

    async def retry(self, delivery_id: str, reason: str, due: datetime) -> None:
        """Put a delivery back until `due`."""

    async def park(self, delivery_id: str, reason: str) -> None:
        """Set a delivery aside for an operator, with the reason."""

    async def release(self) -> int:
        """Give back what a process that died had claimed; gives the number of deliveries."""

    async def forget(self, before: datetime) -> int:
        """Delete deliveries that were done with before `before`; gives their number."""


class Builds(Protocol):
    """Our records of builds and of what was reported about them."""

    async def add(self, build: Build) -> Build:
        """Record a build; gives the record that stands, the earlier one when the id is known."""

    async def change(self, build_id: str, **changes: str | int | datetime) -> Build:
        """Change some fields of a build's record, leaving those to others that others change; gives the new record."""

    async def warn(self, build_id: str, warnings: tuple[str, ...]) -> None:
        """Replace what the author should know of a build."""

    async def begin(self, build_id: str) -> None:
        """Note that all of a build's submission is done; one that ended meanwhile stays finished."""

    async def get(self, build_id: str) -> Build | None:
        """Read a build by its id."""

    async def of_workflow(self, namespace: str, name: str) -> Build | None:
        """Find the build that was submitted under a workflow's name."""

    async def of_check_run(self, repository: Repository, check_run_id: int) -> Build | None:
        """Find the build that a check-run stands for."""

    async def is_built(self, commit: Commit, ref: Ref, *, but: str) -> bool:
        """Say whether a commit has a build other than `but`; a tag's builds count for that tag alone."""

    async def unfinished(self) -> list[Build]:
        """List the builds whose check-run is not concluded, oldest first."""

    async def unfinished_of(self, build: Build) -> list[Build]:
        """List the unfinished builds of the same repository, ref and check name, oldest first."""

    async def unfinished_of_branch(self, repository: Repository, branch: str, fork: str) -> list[Build]:
        """List the unfinished builds of a branch, of the fork `owner/name` where that is not empty."""

    async def of_commit(self, commit: Commit) -> Build | None:
        """Find the newest build of a commit that was no tag's."""

    async def previous(self, build: Build) -> Build | None:
        """Find the newest earlier build of the same repository, ref and check name that succeeded or failed."""

    async def all_of_commit(self, commit: Commit) -> list[Build]:
        """List the builds of a commit, oldest first."""

    async def newest(
        self, *, repository: str = "", before: datetime | None = None, limit: int = 50
    ) -> list[Build]:
        """List builds, newest first: of `owner/name` where that is not empty, older than `before` where it is given."""

    async def outcome(self, build_id: str) -> Outcome:
        """Read what is kept of a build's workflow and check-run."""

    async def save_outcome(self, build_id: str, outcome: Outcome) -> None:
        """Keep how a build's workflow and check-run look."""

    async def deployments(self, build_id: str) -> dict[str, DeploymentTold]:
        """Read the deployments of a build by node id."""

    async def save_deployment(self, build_id: str, node_id: str, told: DeploymentTold) -> None:
        """Remember the deployment of a node, and what GitHub was last told of it."""

    async def reported(self, build_id: str) -> Reported:
        """Read what GitHub was last told."""

    async def save_reported(self, build_id: str, reported: Reported) -> None:
        """Remember what GitHub was told."""

    async def logs(self, build_id: str) -> dict[str, NodeLog]:
        """Read the kept logs of a build by node id, in the order in which they were kept."""

    async def save_log(self, build_id: str, log: NodeLog) -> None:
        """Keep the log of one node."""

    async def forget_logs(self, build_id: str, node_ids: Iterable[str]) -> None:
        """Drop the kept logs of some nodes, which run again."""

    async def forget(self, before: datetime) -> int:
        """Delete finished builds from before `before`, with all that hangs on them; gives their number."""
