"""Words for the merge queue: a branch for each waiting pull request, merged on top of the one before it."""

from __future__ import annotations

from typing import Literal

from kubeci.local.github import git
from kubeci.local.github.check_payloads import simple_commit
from kubeci.local.github.git_content import read_commit
from kubeci.local.github.person_pulls import Contributing
from kubeci.local.github.pulls import PullNode
from kubeci.local.github.repositories import push_deletion, push_merge, push_ref
from kubeci.local.github.state import MergeGroup, PullRequest
from kubeci.model.json import JsonObject

BOT = "github-merge-queue[bot]"


class MergeQueue(Contributing):
    """The merge queue of every branch; nothing leaves it by itself."""

    async def enqueue(self, pull: PullRequest, *, by: str | None = None) -> MergeGroup:
        """Put a pull request into the queue of its base branch and ask for its checks.

        The branch is `gh-readonly-queue/{base}/pr-{number}-{base sha}`; its push is told as any push, then
        `merge_group` checks_requested. ValueError for a closed one, a draft, a queued one and a conflict.
        """
        if pull.state != "open" or pull.draft or pull.group is not None:
            raise ValueError(f"pull request {pull.number} is closed, a draft or queued already")
        ahead = self._queue(pull)
        base = ahead[-1].group.head_sha if ahead and ahead[-1].group else (await PullNode.read(pull)).base_sha
        group = await self._build(pull, base)
        self.state.queue.append(pull)
        await self.events.pulls.tell(pull, "enqueued", self._by(by))
        await self._tell(pull, group, "checks_requested")
        return group

    async def dequeue(self, pull: PullRequest, *, by: str | None = None) -> None:
        """Take a pull request out; those behind it are invalidated and built anew."""
        behind = self._behind(pull)
        base = self._group(pull).base_sha
        await self._leave(pull, "dequeued")
        await self.events.pulls.tell(pull, "dequeued", self._by(by), {"reason": "MANUAL"})
        for other in behind:
            await self._destroy(other, "invalidated")
            group = await self._build(other, base)
            await self._tell(other, group, "checks_requested")
            base = group.head_sha

    async def merge_queued(self, pull: PullRequest) -> str:
        """Move the base branch to a pull request's merge commit, as the queue does when its checks passed.

        It must be the queue's first; gives the sha.
        """
        if self._queue(pull)[:1] != [pull]:
            raise ValueError(f"pull request {pull.number} is not the queue's first")
        group = self._group(pull)
        await push_ref(pull.base.path, group.head_sha, f"refs/heads/{pull.base_ref}", BOT)
        await self._leave(pull, "merged")
        await self.events.pulls.tell(pull, "dequeued", self.state.user(BOT), {"reason": "MERGE"})
        return group.head_sha

    async def close_pull_request(self, pull: PullRequest, *, by: str | None = None) -> None:
        """Close without merging, leaving the queue first."""
        if pull.group is not None:
            await self.dequeue(pull, by=by)
        await super().close_pull_request(pull, by=by)

    async def convert_to_draft(self, pull: PullRequest, *, by: str | None = None) -> None:
        """Say that it is not ready, leaving the queue first."""
        if pull.group is not None:
            await self.dequeue(pull, by=by)
        await super().convert_to_draft(pull, by=by)

    def _queue(self, pull: PullRequest) -> list[PullRequest]:
        return [p for p in self.state.queue if p.base is pull.base and p.base_ref == pull.base_ref]

    def _behind(self, pull: PullRequest) -> list[PullRequest]:
        queue = self._queue(pull)
        if pull not in queue:
            raise ValueError(f"pull request {pull.number} is not in the queue")
        return queue[queue.index(pull) + 1 :]

    def _group(self, pull: PullRequest) -> MergeGroup:
        assert pull.group is not None  # whoever is in the queue has one
        return pull.group

    async def _build(self, pull: PullRequest, base_sha: str) -> MergeGroup:
        branch = f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base_sha}"
        merge = await self._merge(pull, base_sha, branch, pull.user.login)
        head = await push_merge(pull.base.path, merge, pusher=BOT)
        pull.group = MergeGroup(branch, head, base_sha)
        return pull.group

    async def _leave(self, pull: PullRequest, reason: Literal["dequeued", "merged"]) -> None:
        self.state.queue.remove(pull)
        await self._destroy(pull, reason)

    async def _destroy(self, pull: PullRequest, reason: Literal["dequeued", "invalidated", "merged"]) -> None:
        group = self._group(pull)
        pull.group = None
        await self._tell(pull, group, "destroyed", {"reason": reason})
        await push_deletion(pull.base.path, f"refs/heads/{group.branch}", BOT)

    async def _tell(
        self, pull: PullRequest, group: MergeGroup, action: str, more: JsonObject | None = None
    ) -> None:
        async with git.objects(pull.base.path) as objects:
            found = await objects.peel(group.head_sha)
        assert found is not None  # it was just pushed, and nothing is ever collected
        body = {
            "head_sha": group.head_sha,
            "head_ref": f"refs/heads/{group.branch}",
            "base_sha": group.base_sha,
            "base_ref": f"refs/heads/{pull.base_ref}",
            "head_commit": simple_commit(read_commit(found.oid, found.content)),
        }
        payload = {"action": action, "merge_group": body, **(more or {})}
        self.outbox.send("merge_group", pull.base, self.state.user(BOT), payload)
