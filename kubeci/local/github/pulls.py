"""Pull requests as git sees them: `refs/pull/N/head` in the base repository, kept up with the head branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kubeci.local.github import git
from kubeci.local.github.changes import FileChange, changed_files, commits_between
from kubeci.local.github.git_content import Commit, read_commit
from kubeci.local.github.history import is_ancestor, merge_base
from kubeci.local.github.state import Clock, PullRequest, Repository, State


def head_ref(pull: PullRequest) -> str:
    """Give the ref of the base repository that holds the pull request's head."""
    return f"refs/pull/{pull.number}/head"


async def fetch_head(pull: PullRequest, now: Clock) -> None:
    """Bring the head's commits into the base repository, as GitHub does.

    Who reads the pull request sees its new head and its new time at once, never one without the other.
    """
    ref = head_ref(pull)
    branch = f"refs/heads/{pull.head_ref}"
    if pull.from_fork:
        fetching = ("fetch", "--quiet", "--no-tags", str(pull.head.path), f"+{branch}:{ref}")
        await git.git(pull.base.path, *fetching)
    else:
        await git.git(pull.base.path, "update-ref", ref, branch)
    head_sha = (await git.refs(pull.base.path, ref))[ref]
    if head_sha != pull.head_sha:
        pull.head_sha, pull.updated_at = head_sha, now()


@dataclass(frozen=True, slots=True)
class PullNode:
    """A pull request with the shas of its two sides, and when it had them; a merged one's base is where it was merged into."""

    pull: PullRequest
    head_sha: str
    base_sha: str
    updated_at: datetime

    @classmethod
    async def read(cls, pull: PullRequest) -> PullNode:
        """Read where both sides stand."""
        refs = await git.refs(pull.base.path, "refs/heads/")
        base = pull.merged_into or refs.get(f"refs/heads/{pull.base_ref}", git.ZERO)
        return cls(pull, pull.head_sha or git.ZERO, base, pull.updated_at)

    async def files(self) -> list[FileChange]:
        """List the files changed since the head parted from its base."""
        path = self.pull.base.path
        start = await merge_base(path, self.base_sha, self.head_sha)
        return [] if start is None else await changed_files(path, start, self.head_sha)

    async def commits(self) -> list[Commit]:
        """List the commits that the pull request brings, oldest first."""
        if git.ZERO in {self.base_sha, self.head_sha}:
            return []
        return await commits_between(self.pull.base.path, self.base_sha, self.head_sha)

    async def brings(self, oid: str) -> bool:
        """Say whether a commit is one that the pull request brings."""
        path = self.pull.base.path
        in_head = self.head_sha == oid or await is_ancestor(path, oid, self.head_sha)
        return in_head and not await is_ancestor(path, oid, self.base_sha)


async def pulls_with(state: State, repository: Repository, oid: str) -> list[PullNode]:
    """List the open and merged pull requests into a repository that bring a commit (docs.github.com, "Commits")."""
    found = []
    for pull in state.pull_requests:
        if pull.base is not repository or (pull.state == "closed" and pull.merged_at is None):
            continue
        read = await PullNode.read(pull)
        if pull.merge_commit_sha == oid or await read.brings(oid):
            found.append(read)
    return found


async def pulls_headed(state: State, repository: Repository, oid: str) -> list[PullRequest]:
    """List the pull requests into a repository whose head a commit is."""
    refs = await git.refs(repository.path, "refs/pull/")
    return [
        pull for pull in state.pull_requests if pull.base is repository and refs.get(head_ref(pull)) == oid
    ]


async def merged_tree(path: git.Location, base: str, head: str) -> str | None:
    """Give the tree of a merge of two commits; None when they conflict."""
    if await is_ancestor(path, base, head):  # there is nothing to merge
        async with git.objects(path) as objects:
            tip = await objects.peel(head)
        assert tip is not None  # it was just looked at
        return read_commit(tip.oid, tip.content).tree
    try:
        output = await git.git(path, "merge-tree", "--write-tree", "--no-messages", base, head)
    except git.GitError:
        return None
    return output.decode().strip()
