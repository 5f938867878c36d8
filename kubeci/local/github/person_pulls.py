"""Words for pull requests: fork, open, edit, label, close, merge."""

from __future__ import annotations

from kubeci.local.github import git
from kubeci.local.github.conversation import next_number
from kubeci.local.github.payloads import repository_json
from kubeci.local.github.person import Person
from kubeci.local.github.pull_payloads import PASSING, label_json, required_outcomes
from kubeci.local.github.pulls import PullNode, fetch_head, head_ref
from kubeci.local.github.repositories import Merge, create_bare, push_merge
from kubeci.local.github.state import PullRequest, Repository
from kubeci.model.json import JsonObject


class Contributing(Person):
    """What people do with pull requests; each doing is delivered as `pull_request`."""

    async def fork(self, full_name: str, owner: str, *, name: str | None = None) -> Repository:
        """Copy a repository to another owner, with its branches and tags; the App is not installed there."""
        parent = self._repository(full_name)
        found = self.state.repository(f"{owner}/{name or parent.name}")
        if found is not None:
            return found
        path = self._hook_file.parent / owner / f"{name or parent.name}.git"
        await create_bare(path, parent.default_branch, self._hook_file)
        refspecs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        await git.git(path, "fetch", "--quiet", str(parent.path), *refspecs)
        account, now = self.state.user(owner), self.state.now()
        fork = Repository(
            id=self.state.new_id(),
            owner=account,
            name=name or parent.name,
            path=path,
            default_branch=parent.default_branch,
            private=parent.private,
            created_at=now,
            pushed_at=now,
            parent=parent,
        )
        self.state.repositories[fork.id] = fork
        forkee = {**repository_json(self.state, fork), "public": not fork.private}
        self.outbox.send("fork", parent, account, {"forkee": forkee})
        return fork

    async def open_pull_request(  # noqa: PLR0913 - the fields of GitHub's form
        self,
        full_name: str,
        *,
        head: str,
        base: str | None = None,
        title: str = "A change",
        body: str | None = None,
        draft: bool = False,
    ) -> PullRequest:
        """Open a pull request; `head` is a branch, or `owner/name:branch` or `owner:branch` of a fork.

        ValueError when a branch is not there, or the head brings nothing.
        """
        target = self._writable(full_name)
        fork, _, branch = head.rpartition(":")
        source = self._repository(fork if "/" in fork else f"{fork}/{target.name}") if fork else target
        now = self.state.now()
        pull = PullRequest(
            id=self.state.new_id(),
            number=next_number(target),
            base=target,
            base_ref=base or target.default_branch,
            head=source,
            head_ref=branch,
            title=title,
            user=self._me,
            created_at=now,
            updated_at=now,
            body=body,
            draft=draft,
        )
        await self._check_branches(pull)
        self.state.pull_requests.append(pull)
        await self.events.pulls.tell(pull, "opened", self._me)
        return pull

    async def _check_branches(self, pull: PullRequest) -> None:
        try:
            await fetch_head(pull, self.state.now)
        except git.GitError:
            raise ValueError(f"{pull.head.full_name} has no branch {pull.head_ref}") from None
        read = await PullNode.read(pull)
        if read.base_sha == git.ZERO:
            raise ValueError(f"{pull.base.full_name} has no branch {pull.base_ref}")
        if not await read.commits():
            await git.git(pull.base.path, "update-ref", "-d", head_ref(pull))
            raise ValueError(f"No commits between {pull.base_ref} and {pull.label}")

    async def edit_pull_request(
        self,
        pull: PullRequest,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
    ) -> None:
        """Change title, body or base branch; delivered as `edited` with what was there before."""
        changes: JsonObject = {}
        if title is not None:
            changes["title"] = {"from": pull.title}
            pull.title = title
        if body is not None:
            changes["body"] = {"from": pull.body or ""}
            pull.body = body
        if base is not None:
            heads = await git.refs(pull.base.path, "refs/heads/")
            if f"refs/heads/{base}" not in heads:
                raise ValueError(f"{pull.base.full_name} has no branch {base}")
            sha = (await PullNode.read(pull)).base_sha
            changes["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": sha}}
            pull.base_ref = base
        await self.events.pulls.tell(pull, "edited", self._me, {"changes": changes})

    async def close_pull_request(self, pull: PullRequest, *, by: str | None = None) -> None:
        """Close without merging."""
        _want(pull, state="open")
        await self.events.pulls.close(pull, self._by(by))

    async def reopen_pull_request(self, pull: PullRequest, *, by: str | None = None) -> None:
        """Open again; ValueError for a merged one."""
        _want(pull, state="closed")
        if pull.merged_at is not None:
            raise ValueError(f"pull request {pull.number} is merged")
        try:
            await fetch_head(pull, self.state.now)
        except git.GitError:
            raise ValueError(f"{pull.head.full_name} has no branch {pull.head_ref}") from None
        pull.state, pull.closed_at = "open", None
        await self.events.pulls.tell(pull, "reopened", self._by(by))

    async def convert_to_draft(self, pull: PullRequest, *, by: str | None = None) -> None:
        """Say that it is not ready."""
        pull.draft = True
        await self.events.pulls.tell(pull, "converted_to_draft", self._by(by))

    async def ready_for_review(self, pull: PullRequest, *, by: str | None = None) -> None:
        """Say that it is no draft any more."""
        pull.draft = False
        await self.events.pulls.tell(pull, "ready_for_review", self._by(by))

    async def label(self, pull: PullRequest, name: str) -> None:
        """Put a label on."""
        if name not in pull.labels:
            pull.labels.append(name)
            label = label_json(self.state, pull.base, name)
            await self.events.pulls.tell(pull, "labeled", self._me, {"label": label})

    async def unlabel(self, pull: PullRequest, name: str) -> None:
        """Take a label off."""
        if name in pull.labels:
            pull.labels.remove(name)
            label = label_json(self.state, pull.base, name)
            await self.events.pulls.tell(pull, "unlabeled", self._me, {"label": label})

    async def blocked_by(self, pull: PullRequest) -> list[str]:
        """Name the required checks that keep a pull request from being merged (`require`)."""
        outcomes = required_outcomes(self.state, await PullNode.read(pull))
        return [name for name, outcome in outcomes.items() if outcome not in PASSING]

    async def merge_pull_request(self, pull: PullRequest, *, by: str | None = None) -> str:
        """Push a merge commit to the base branch, the way of any push; gives its sha.

        ValueError for a closed, draft or queued one, a required check that does not pass, and a conflict.
        """
        _want(pull, state="open")
        if pull.draft or pull.group is not None:
            raise ValueError(f"pull request {pull.number} is {'a draft' if pull.draft else 'queued'}")
        if blocking := await self.blocked_by(pull):
            raise ValueError(f"required checks do not pass: {', '.join(blocking)}")
        onto = (await PullNode.read(pull)).base_sha
        merge = await self._merge(pull, onto, pull.base_ref, self._by(by).login)
        return await push_merge(pull.base.path, merge)

    async def _merge(self, pull: PullRequest, onto: str, branch: str, author: str) -> Merge:
        head = (await PullNode.read(pull)).head_sha
        message = f"Merge pull request #{pull.number} from {pull.label.replace(':', '/')}\n\n{pull.title}"
        return Merge(onto, head, branch, message, self.state.now(), author)


def _want(pull: PullRequest, *, state: str) -> None:
    if pull.base.archived:
        raise ValueError(f"{pull.base.full_name} was archived so is read-only")
    if pull.state != state:
        raise ValueError(f"pull request {pull.number} is {pull.state}")
