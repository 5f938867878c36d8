"""The merge of the default branch that GitHub makes before it deploys a branch that is behind (`auto_merge`)."""

from __future__ import annotations

from kubeci.local.github import git
from kubeci.local.github.errors import ApiError
from kubeci.local.github.history import is_ancestor
from kubeci.local.github.repositories import Merge, push_merge
from kubeci.local.github.state import Repository, State


async def behind(repository: Repository, ref: str, sha: str) -> bool:
    """Say whether a ref is a branch that lacks commits of the default one; into a tag or sha nothing can be merged."""
    heads = await git.refs(repository.path, "refs/heads/")
    default = heads.get(f"refs/heads/{repository.default_branch}")
    if default is None or f"refs/heads/{ref}" not in heads:
        return False
    return not await is_ancestor(repository.path, default, sha)


async def merge_default(state: State, repository: Repository, branch: str, author: str) -> str:
    """Merge the default branch into another one and push that; gives GitHub's words. ApiError 409 for a conflict."""
    heads = await git.refs(repository.path, "refs/heads/")
    default = repository.default_branch
    merge = Merge(
        heads[f"refs/heads/{branch}"],
        heads[f"refs/heads/{default}"],
        branch,
        f"Merge branch '{default}' into {branch}",
        state.now(),
        author,
    )
    try:
        await push_merge(repository.path, merge)
    except ValueError:
        raise ApiError(409, f"Conflict merging {default} into {branch}.") from None
    return f"Auto-merged {default} into {branch} on deployment."
