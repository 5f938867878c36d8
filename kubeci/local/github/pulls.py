"""Pull requests as git sees them: `refs/pull/N/head` in the base repository, kept up with the head branch."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.local.github import git
from kubeci.local.github.state import PullRequest, Repository, State


def head_ref(pull: PullRequest) -> str:
    """Give the ref of the base repository that holds the pull request's head."""
    return f"refs/pull/{pull.number}/head"


async def fetch_head(pull: PullRequest) -> None:
    """Bring the head's commits into the base repository, as GitHub does."""
    source = f"+refs/heads/{pull.head_ref}:{head_ref(pull)}"
    await git.git(pull.base.path, "fetch", "--quiet", "--no-tags", str(pull.head.path), source)


@dataclass(frozen=True, slots=True)
class PullNode:
    """A pull request with the shas of its two sides."""

    pull: PullRequest
    head_sha: str
    base_sha: str

    @classmethod
    async def read(cls, pull: PullRequest) -> PullNode:
        """Read where both sides stand."""
        refs = await git.refs(pull.base.path)
        base = refs.get(f"refs/heads/{pull.base_ref}", git.ZERO)
        return cls(pull, refs.get(head_ref(pull), git.ZERO), base)


async def pulls_with(state: State, repository: Repository, oid: str) -> list[PullNode]:
    """List the pull requests into a repository that bring a commit which their base does not have."""
    found = []
    for pull in state.pull_requests:
        if pull.base is not repository:
            continue
        read = await PullNode.read(pull)
        in_head = read.head_sha == oid or await git.is_ancestor(repository.path, oid, read.head_sha)
        if in_head and not await git.is_ancestor(repository.path, oid, read.base_sha):
            found.append(read)
    return found
