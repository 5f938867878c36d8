"""What happens to pull requests, by themselves or by a push, and the `pull_request` events that tell of it."""

from __future__ import annotations

from contextlib import suppress

from kubeci.local.github import git
from kubeci.local.github.history import is_ancestor
from kubeci.local.github.outbox import Outbox
from kubeci.local.github.pull_payloads import pull_full
from kubeci.local.github.pulls import PullNode, fetch_head
from kubeci.local.github.state import Account, PullRequest, Repository, State
from kubeci.model.json import JsonObject


class PullEvents:
    """Moves pull requests on and tells the App installed on their base repository."""

    def __init__(self, state: State, outbox: Outbox) -> None:
        self._state = state
        self._outbox = outbox

    async def tell(
        self, pull: PullRequest, action: str, sender: Account, more: JsonObject | None = None
    ) -> None:
        """Send `pull_request`; `more` are an action's own fields."""
        pull.updated_at = self._state.now()
        body = await pull_full(self._state, await PullNode.read(pull), judged=False)
        payload = {"action": action, "number": pull.number, "pull_request": body, **(more or {})}
        self._outbox.send("pull_request", pull.base, sender, payload)

    async def close(self, pull: PullRequest, sender: Account) -> None:
        """Close a pull request."""
        pull.state, pull.closed_at = "closed", self._state.now()
        await self.tell(pull, "closed", sender)

    async def head_moved(self, repository: Repository, branch: str, pusher: Account) -> None:
        """Bring new commits of a head branch into its open pull requests (`synchronize`)."""
        for pull in self._open():
            if pull.head is repository and pull.head_ref == branch:
                before = pull.head_sha
                with suppress(git.GitError):  # the branch is gone again, which is told next
                    await fetch_head(pull, self._state.now)
                after = pull.head_sha
                if before != after:
                    await self.tell(pull, "synchronize", pusher, {"before": before, "after": after})

    async def merged_by_push(
        self, repository: Repository, branch: str, shas: tuple[str, str], pusher: Account
    ) -> None:
        """Close as merged the open pull requests whose head a push brought into their base branch."""
        old, new = shas
        for pull in self._open():
            if pull.base is not repository or pull.base_ref != branch or old == git.ZERO:
                continue
            head = (await PullNode.read(pull)).head_sha
            if await is_ancestor(repository.path, head, new):
                pull.merged_into, pull.merge_commit_sha, pull.merged_by = old, new, pusher
                pull.merged_at = self._state.now()
                await self.close(pull, pusher)

    async def head_gone(self, repository: Repository, branch: str, pusher: Account) -> None:
        """Close the open pull requests of a deleted head branch."""
        for pull in self._open():
            if pull.head is repository and pull.head_ref == branch:
                await self.close(pull, pusher)

    def _open(self) -> list[PullRequest]:
        return [pull for pull in self._state.pull_requests if pull.state == "open"]
