"""Questions about the history of commits: answered by walking it while it is short, else by git."""

from __future__ import annotations

from kubeci.local.github import git
from kubeci.local.github.git import GitError, Objects
from kubeci.local.github.git_content import Commit, read_commit

WALKED = 200
"""The most commits that a walk looks at."""


async def is_ancestor(location: git.Location, older: str, newer: str) -> bool:
    """Say whether the commit `older` is reached from `newer`; no when either is not there."""
    async with git.objects(location) as objects:
        one = await objects.peel(older)
        reached = await _reached(objects, [newer], one.oid) if one is not None else set()
    if one is not None and reached is not None:
        return one.oid in reached
    try:
        await git.git(location, "merge-base", "--is-ancestor", older, newer)
    except GitError:
        return False
    return True


async def merge_base(location: git.Location, one: str, other: str) -> str | None:
    """Find the commit that both come from; None for histories that have none in common, or no such commits."""
    async with git.objects(location) as objects:
        tips = [await objects.peel(one), await objects.peel(other)]
        for tip, rest in zip(tips, reversed(tips), strict=True):
            if tip is None or rest is None:
                break
            reached = await _reached(objects, [rest.oid], tip.oid)
            if reached is not None and tip.oid in reached:
                return tip.oid
    try:
        return (await git.git(location, "merge-base", one, other)).decode().strip() or None
    except GitError:
        return None


async def commits_without(
    location: git.Location, head: str, others: list[str], most: int | None = None
) -> list[Commit]:
    """List the newest commits of `head` that none of the others reaches, newest first."""
    async with git.objects(location) as objects:
        found = None
        if len(others) == 1:  # a line to the one other has nothing on it that this reaches
            found = await _line(objects, head, set(others), meets=True)
        if found is None:
            excluded = await _reached(objects, others)
            found = await _line(objects, head, excluded) if excluded is not None else None
        if found is None:
            limit = [] if most is None else [f"--max-count={most}"]
            span = [head, *(f"^{other}" for other in others)]
            listed = await git.git(location, "rev-list", *limit, *span, "--")
            read = [await objects.get(oid) for oid in listed.decode().split()]
            found = [read_commit(each.oid, each.content) for each in read if each is not None]
    return found[:most]


async def has_author(location: git.Location, branch: str, email: str) -> bool:
    """Say whether a branch holds a commit that an address wrote."""
    async with git.objects(location) as objects:
        tip = await objects.peel(branch)
        commits = await _walk(objects, [tip.oid] if tip else [])
    if commits is not None:
        return any(commit.author.email == email for commit in commits.values())
    options = ("--max-count=1", "--fixed-strings", f"--author=<{email}>")
    return bool(await git.git(location, "rev-list", *options, branch, "--"))


async def _line(
    objects: Objects, head: str, excluded: set[str], *, meets: bool = False
) -> list[Commit] | None:
    """List the commits from `head` on, one parent each, until an excluded one; None when git must order them.

    With `meets`, None as well when no excluded one is met.
    """
    found: list[Commit] = []
    tip = await objects.peel(head)
    while tip is not None and tip.oid not in excluded:
        commit = read_commit(tip.oid, tip.content)
        found.append(commit)
        if len(commit.parents) > 1 or len(found) > WALKED:
            return None
        if not commit.parents:
            return None if meets else found
        tip = await objects.peel(commit.parents[0])
    return found if tip is not None else None


async def _reached(objects: Objects, heads: list[str], until: str = "") -> set[str] | None:
    found = await _walk(objects, heads, until)
    return None if found is None else set(found)


async def _walk(objects: Objects, heads: list[str], until: str = "") -> dict[str, Commit] | None:
    """Read the commits that are reached, all or to one that is looked for; None when they are too many, or not all there."""
    found: dict[str, Commit] = {}
    waiting = list(heads)
    while waiting and until not in found:
        name = waiting.pop()
        if name in found:
            continue
        read = await objects.peel(name)
        if read is None or len(found) >= WALKED:
            return None
        found[read.oid] = commit = read_commit(read.oid, read.content)
        waiting += commit.parents
    return found
