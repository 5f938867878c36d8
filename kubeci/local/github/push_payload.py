"""The push event: which commits came, and which files they touched."""

from __future__ import annotations

from kubeci.local.github import git
from kubeci.local.github.check_payloads import simple_commit
from kubeci.local.github.git_content import Commit, read_commit
from kubeci.local.github.history import commits_without, is_ancestor
from kubeci.local.github.payloads import repository_json
from kubeci.local.github.state import Account, Repository, State
from kubeci.local.github.trees import touched
from kubeci.model.json import JsonObject

COMMITS_LISTED = 20


async def push_json(
    state: State, repository: Repository, ref: str, shas: tuple[str, str], pusher: Account
) -> JsonObject:
    """Give the push event's own fields; `shas` are the ref's old and new oid."""
    old, new = shas
    page = f"{state.base_url}/{repository.full_name}"
    created, deleted = old == git.ZERO, new == git.ZERO
    commits = [] if deleted else await _commits(state, repository, ref, old, new)
    forced = not created and not deleted and not await is_ancestor(repository.path, old, new)
    listed = commits and commits[-1]["id"] == new  # an annotated tag's own oid is not
    head = None if deleted else commits[-1] if listed else await _head(state, repository, new)
    return {
        "ref": ref,
        "before": old,
        "after": new,
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": f"{page}/compare/{old[:12]}...{new[:12]}",
        "commits": commits if ref.startswith("refs/heads/") else [],
        "head_commit": head,
        "repository": _repository(state, repository),
        "pusher": {"name": pusher.login, "email": f"{pusher.login}@users.noreply.github.com"},
    }


def _repository(state: State, repository: Repository) -> JsonObject:
    """Give the repository as push events alone write it: with seconds for times, and the owner's name."""
    whole = repository_json(state, repository)
    email = f"{repository.owner.login}@users.noreply.github.com"
    return {
        **whole,
        "owner": {**whole["owner"], "name": repository.owner.login, "email": email},
        "created_at": int(repository.created_at.timestamp()),
        "pushed_at": int(repository.pushed_at.timestamp()),
        "stargazers": 0,
        "master_branch": repository.default_branch,
    }


async def _commits(state: State, repository: Repository, ref: str, old: str, new: str) -> list[JsonObject]:
    others = [old]
    if old == git.ZERO:
        heads = await git.refs(repository.path, "refs/heads/")
        others = [oid for name, oid in heads.items() if name != ref]
    listed = await commits_without(repository.path, new, others, COMMITS_LISTED)
    return [await _commit(state, repository, commit) for commit in reversed(listed)]


async def _head(state: State, repository: Repository, oid: str) -> JsonObject | None:
    async with git.objects(repository.path) as objects:
        found = await objects.peel(oid)
    if found is None:
        return None
    return await _commit(state, repository, read_commit(found.oid, found.content))


async def _commit(state: State, repository: Repository, commit: Commit) -> JsonObject:
    files: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for path, kind in await touched(repository.path, commit):
        files[kind].append(path)
    page = f"{state.base_url}/{repository.full_name}/commit/{commit.oid}"
    return {**simple_commit(commit), "distinct": True, "url": page, **files}
