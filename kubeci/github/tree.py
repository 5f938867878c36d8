"""A folder as GraphQL gives it, nested, turned into a flat list of entries."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from kubeci.model.context import Entry, EntryKind
from kubeci.model.json import JsonObject

GITLINK = 0o160000  # git's mode of a submodule; no file of a file system has it


@dataclass(frozen=True, slots=True)
class TreeFile:
    """An entry, with its object id and whether GraphQL gave only the beginning of its text."""

    entry: Entry
    oid: str
    truncated: bool


def entries(tree: JsonObject, prefix: str = "") -> Iterator[TreeFile]:
    """Walk a folder (`Tree` of GitHub's GraphQL schema) as deep as it was read.

    What lies deeper is stood for by one entry a folder, which is no file and too deep itself.
    """
    for entry in tree.get("entries") or ():
        path = f"{prefix}{entry['name']}"
        found = entry.get("object") or {}
        if entry["type"] != "tree":
            yield _file(path, entry["mode"], found)
        elif "entries" in found:
            yield from entries(found, f"{path}/")
        else:
            yield TreeFile(Entry(f"{path}/…", EntryKind.OTHER, text=None, size=0), oid="", truncated=False)


def _file(path: str, mode: int, blob: JsonObject) -> TreeFile:
    truncated = bool(blob.get("isTruncated"))
    entry = Entry(
        path=path,
        kind=_kind(mode),
        text=None if truncated else blob.get("text"),
        size=blob.get("byteSize") or 0,
        binary=bool(blob.get("isBinary")),
    )
    return TreeFile(entry, oid=blob.get("oid") or "", truncated=truncated)


def _kind(mode: int) -> EntryKind:
    if mode == GITLINK:
        return EntryKind.SUBMODULE
    if stat.S_ISLNK(mode):
        return EntryKind.SYMLINK
    return EntryKind.FILE if stat.S_ISREG(mode) else EntryKind.OTHER
