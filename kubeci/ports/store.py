"""What the use cases remember."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from kubeci.model.build import Build
from kubeci.model.event import Delivery
from kubeci.model.inbox import ANY, Backlog, DeliveryRecord, DeliveryState, Wanted
from kubeci.model.report import DeploymentTold, NodeLog, Outcome, Reported
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.trace import Trace


class Inbox(Protocol):
    """Deliveries that wait for their work."""

    async def add(self, delivery: Delivery) -> bool:
        """Store a delivery; False: it is known and its work is done or under way."""

    async def note(self, delivery: Delivery, reason: str) -> None:
        """Store a delivery that asks nothing of us as done, with the reason; one that is known stays as it is."""

    async def claim(
        self, now: datetime, until: datetime | None = None, wanted: Wanted = ANY
    ) -> Delivery | None:
        """Take a wanted delivery that is due, marking it as being worked on; after `until` others may take it up."""

    async def renew(self, delivery_id: str, now: datetime, until: datetime) -> bool:
        """Hold a claim for longer; False: it ran out, and the delivery is another's or done."""

    def let_go(self, delivery_id: str) -> None:
        """End a claim in this process, whatever became of it in the store, where it may have to run out."""

    async def next_due(self, wanted: Wanted = ANY) -> datetime | None:
        """Say when the next wanted delivery that waits is due; None: none waits."""

    async def suspects(self, now: datetime) -> bool:
        """Say whether something is due that only one who is alone takes."""

    async def backlog(self) -> Backlog:
        """Count what is not done."""

    async def done(self, delivery_id: str, reason: str) -> None:
        """Record what came of a delivery."""

    async def retry(self, delivery_id: str, reason: str, due: datetime, *, counted: bool = True) -> None:
        """Put a claimed delivery back until `due`; the attempts that were made are forgotten when it is not `counted`."""

    async def park(self, delivery_id: str, reason: str) -> None:
        """Set a claimed delivery aside for an operator, with the reason."""

    async def release(self, *, counted: bool = True) -> int:
        """Give back what this replica had claimed, before its work starts or after it was stopped; gives the number."""

    async def deliveries(
        self, *, state: DeliveryState | None = None, limit: int = 100
    ) -> list[DeliveryRecord]:
        """List deliveries, newest first: all, or those in one state."""

    async def get(self, delivery_id: str) -> Delivery | None:
        """Read a delivery with its payload."""

    async def known(self, delivery_ids: Collection[str]) -> frozenset[str]:
        """Say which of these deliveries are in the inbox, whatever became of them."""

    async def pending(self, delivery_id: str, repository: str, sha: str) -> bool:
        """Say whether a delivery, or another one about the same commit, waits for its work or is worked on."""

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """Let a delivery that is done or parked be worked on anew; False: it is neither."""

    async def forget(self, before: datetime) -> int:
        """Delete deliveries that are done and were wanted before `before`, with their traces; gives their number."""


class Builds(Protocol):
    """Our records of builds and of what was reported about them."""

    async def add(self, build: Build) -> Build:
        """Record a build; gives the record that stands, the earlier one when the id is known."""

    async def change(self, build_id: str, **changes: str | int | datetime | None) -> Build:
        """Change some fields of a build's record, leaving those to others that others change; gives the new record."""

    async def warn(self, build_id: str, warnings: tuple[str, ...]) -> None:
        """Replace what the author should know of a build."""

    async def describe(self, build: Build) -> None:
        """Replace what the definition says of a build that was recorded before its definition could be read."""

    async def begin(self, build_id: str) -> None:
        """Note that all of a build's submission is done; one that ended meanwhile stays finished."""

    async def get(self, build_id: str) -> Build | None:
        """Read a build by its id."""

    async def of_workflow(self, namespace: str, name: str) -> Build | None:
        """Find the build that was submitted under a workflow's name."""

    async def of_check_run(self, repository: Repository, check_run_id: int) -> Build | None:
        """Find the build that a check-run stands for, or stood for until its workflow was retried."""

    async def of_retry(self, wish: str) -> Build | None:
        """Find the build whose workflow was retried last by a wish."""

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


class Traces(Protocol):
    """What was done for deliveries."""

    async def save(self, delivery_id: str, trace: Trace) -> None:
        """Keep the trace of one attempt."""

    async def of(self, delivery_id: str) -> list[Trace]:
        """Read the traces of a delivery's attempts, oldest first."""


class Marks(Protocol):
    """Moments that outlive the process, by name."""

    async def get(self, name: str) -> datetime | None:
        """Read a moment; None: it was never set."""

    async def set(self, name: str, at: datetime) -> None:
        """Set a moment."""


class Locks(Protocol):
    """What one replica does at a time, by name; a holder that dies loses its lock when its time is over."""

    async def take(self, name: str, seconds: float) -> bool:
        """Hold a lock that is free, ran out, or is this holder's own, for so long from now; False: another holds it."""

    async def free(self, name: str) -> None:
        """Give a lock back, unless another has taken it meanwhile."""

    async def forget(self) -> None:
        """Delete what is left of holders that died: locks that ran out."""
