"""Refs and loose objects read from a repository's files, which costs a fraction of a git process.

Nothing here decides: what is not there plainly as a file (packs, packed and symbolic refs, all further revision syntax,
large objects) is `Unread`, and git is asked. The formats: git-scm.com, "gitrepository-layout" and "Git Internals".
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubeci.local.github.git_content import read_commit, read_tag, read_tree

_OID = re.compile(r"[0-9a-f]{40}")
REF = re.compile(r"refs(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_SHORT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
LARGE = 1 << 20  # of such a size reading would hold up the event loop
_PEELED = "^{commit}"
_DEEPEST = 10  # tags of tags


class Unread(Exception):
    """The files do not say it plainly."""


@dataclass(frozen=True, slots=True)
class GitObject:
    """An object of the database; `type` is blob, tree, commit or tag."""

    oid: str
    type: str
    content: bytes


def read_refs(path: Path, prefix: str) -> dict[str, str]:
    """List the refs that are `prefix` or below it, sorted, with the oid each points at."""
    if (path / "packed-refs").exists():
        raise Unread
    found: dict[str, str] = {}
    for folder, _, names in os.walk(path / "refs"):
        below = os.path.relpath(folder, path)
        for name in names:
            ref = f"{below}/{name}"
            if ref == prefix or ref.startswith(prefix if prefix.endswith("/") else f"{prefix}/"):
                oid = read_ref(path, ref)
                if oid is not None:  # it may have been deleted just now
                    found[ref] = oid
    return dict(sorted(found.items()))


def read_object(folders: Sequence[Path], expression: str) -> GitObject | None:
    """Find what `OID`, `refs/…`, a short name or one of these with `:PATH` or `^{commit}` names; None when there is no such thing.

    `folders` are the repository and those whose objects it sees as well.
    """
    revision, colon, path = expression.partition(":")
    peeled = revision.endswith(_PEELED)
    oid = _resolve(folders[0], revision.removesuffix(_PEELED))
    if oid is None:
        return None
    if not colon:
        return _commit(folders, oid) if peeled else _loose(folders, oid)
    commit = _commit(folders, oid)
    found = _loose(folders, read_commit(commit.oid, commit.content).tree)
    for part in path.split("/") if path else []:
        if part in {"", ".", ".."}:
            raise Unread
        entries = read_tree(found.content) if found.type == "tree" else []
        entry = next((each for each in entries if each.name == part), None)
        if entry is None:
            return None
        found = _loose(folders, entry.oid)
    return found


def _resolve(path: Path, revision: str) -> str | None:
    if _OID.fullmatch(revision):
        return revision if revision.strip("0") else None
    if ".." in revision or (path / "packed-refs").exists():
        raise Unread
    if REF.fullmatch(revision):
        return read_ref(path, revision)
    if not _SHORT.fullmatch(revision) or revision.endswith(".lock"):
        raise Unread
    # Where git looks for a short name, "gitrevisions"; of several it has a rule, and complains.
    places = [
        revision,
        *(f"{folder}/{revision}" for folder in ("refs", "refs/tags", "refs/heads", "refs/remotes")),
    ]
    found = [place for place in places if (path / place).exists()]
    if len(found) != 1 or not REF.fullmatch(found[0]) or (oid := read_ref(path, found[0])) is None:
        raise Unread
    return oid


def read_ref(path: Path, ref: str) -> str | None:
    """Read a ref that has a file of its own; None when it has none."""
    if ref.endswith(".lock"):
        return None
    try:
        oid = (path / ref).read_text().rstrip("\n")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    if not _OID.fullmatch(oid):
        raise Unread
    return oid


def _commit(folders: Sequence[Path], oid: str) -> GitObject:
    """Follow annotated tags to a commit."""
    for _ in range(_DEEPEST):
        found = _loose(folders, oid)
        if found.type == "commit":
            return found
        if found.type != "tag":
            break
        oid = read_tag(found.oid, found.content).object
    raise Unread


def _loose(folders: Sequence[Path], oid: str) -> GitObject:
    for folder in folders:
        try:
            with (folder / "objects" / oid[:2] / oid[2:]).open("rb") as file:
                packed = file.read(LARGE)
        except FileNotFoundError:
            continue
        if len(packed) < LARGE:
            reader = zlib.decompressobj()
            head, _, content = reader.decompress(packed, LARGE).partition(b"\0")
            kind, _, size = head.partition(b" ")
            if size.isdigit() and int(size) == len(content):
                return GitObject(oid, kind.decode(), content)
        break
    raise Unread
