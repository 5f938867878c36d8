"""The push event: which commits came, and which files they touched."""

from __future__ import annotations

from kubeci.local.github import git
from kubeci.local.github.check_payloads import simple_commit
from kubeci.local.github.git_content import read_commit
from kubeci.local.github.payloads import repository_json
from kubeci.local.github.state import Account, Repository, State
from kubeci.model.json import JsonObject

COMMITS_LISTED = 20
_CHANGES = {"A": "added", "D": "removed"}  # any other letter is a modification


async def push_json(
    state: State, repository: Repository, ref: str, shas: tuple[str, str], pusher: Account
) -> JsonObject:
    """Give the push event's own fields; `shas` are the ref's old and new oid."""
    old, new = shas
    page = f"{state.base_url}/{repository.full_name}"
    created, deleted = old == git.ZERO, new == git.ZERO
    commits = [] if deleted else await _commits(state, repository, ref, old, new)
    forced = not created and not deleted and not await git.is_ancestor(repository.path, old, new)
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
    if old != git.ZERO:
        span = [new, f"^{old}"]
    else:
        others = await git.refs(repository.path, "refs/heads/")
        span = [new, *(f"^{oid}" for name, oid in others.items() if name != ref)]
    listed = await git.git(repository.path, "rev-list", f"--max-count={COMMITS_LISTED}", *span, "--")
    entries = [await _head(state, repository, oid) for oid in reversed(listed.decode().split())]
    return [entry for entry in entries if entry is not None]


async def _head(state: State, repository: Repository, oid: str) -> JsonObject | None:
    async with git.objects(repository.path) as objects:
        found = await objects.peel(oid)
    if found is None:
        return None
    commit = read_commit(found.oid, found.content)
    changed = await git.git(
        repository.path,
        "diff-tree",
        "--no-commit-id",
        "--name-status",
        "--no-renames",
        "--root",
        "-r",
        "-z",
        found.oid,
    )
    words = changed.decode("utf-8", "replace").split("\0")
    files: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for letter, path in zip(words[0::2], words[1::2], strict=False):
        files[_CHANGES.get(letter, "modified")].append(path)
    page = f"{state.base_url}/{repository.full_name}/commit/{found.oid}"
    return {**simple_commit(commit), "distinct": True, "url": page, **files}
