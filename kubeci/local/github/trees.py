"""Which files a commit touches, from its trees alone."""

from __future__ import annotations

from typing import Literal, TypeAlias

from kubeci.local.github import git
from kubeci.local.github.git import Objects
from kubeci.local.github.git_content import Commit, TreeEntry, read_commit, read_tree

Kind: TypeAlias = Literal["added", "removed", "modified"]


async def touched(repository: git.Location, commit: Commit) -> list[tuple[str, Kind]]:
    """List the files that a commit touches, by path; a rename is a removal and an addition, and a merge touches none."""
    if len(commit.parents) > 1:
        return []
    async with git.objects(repository) as objects:
        before = None
        if commit.parents:
            parent = await objects.peel(commit.parents[0])
            before = read_commit(parent.oid, parent.content).tree if parent is not None else None
        found = await _compare(objects, "", before, commit.tree)
    return sorted(found, key=lambda each: each[0].encode("utf-8", "surrogatepass"))


async def _compare(objects: Objects, folder: str, old: str | None, new: str | None) -> list[tuple[str, Kind]]:
    """Compare two trees; None is an empty one."""
    if old == new:
        return []
    before, after = await _entries(objects, old), await _entries(objects, new)
    found: list[tuple[str, Kind]] = []
    for name in before.keys() | after.keys():
        one, other, path = before.get(name), after.get(name), f"{folder}{name}"
        trees = [each.oid if each is not None and each.type == "tree" else None for each in (one, other)]
        found += await _compare(objects, f"{path}/", *trees)
        files = [each if each is not None and each.type != "tree" else None for each in (one, other)]
        if files[0] != files[1]:
            kind: Kind = "added" if files[0] is None else "removed" if files[1] is None else "modified"
            found.append((path, kind))
    return found


async def _entries(objects: Objects, tree: str | None) -> dict[str, TreeEntry]:
    found = await objects.get(tree) if tree is not None else None
    return {entry.name: entry for entry in read_tree(found.content)} if found is not None else {}
