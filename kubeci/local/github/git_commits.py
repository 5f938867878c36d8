"""Commits written to a repository's files, which costs a fraction of a git process.

As in `git_files`, nothing here decides: what is large or out of the way is `Unread`, nothing was changed then, and git
is asked. The formats: git-scm.com, "gitrepository-layout" and "Git Internals".
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from kubeci.local.github.git_content import read_commit, read_tree
from kubeci.local.github.git_files import LARGE, REF, Unread, read_object, read_ref

_FOLDER = "40000"
_FILES = {"100644", "100755", "120000"}
_MODES = {_FOLDER, "160000", *_FILES}
_MOST = 100  # files: more would hold up the event loop

Blob: TypeAlias = tuple[str, bytes]
"""A file: its mode, as git writes it, and its content."""


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to write; `author` and `committer` are git's signatures, a file None goes."""

    files: Mapping[str, Blob | None]
    parent: str | None
    author: str
    committer: str
    message: bytes


@dataclass(slots=True)
class _Folder:
    """A tree in the making: entries by name, those that were opened among `folders`."""

    entries: dict[str, tuple[str, str]] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)


def write_commit(path: Path, commit: NewCommit, ref: str, before: str | None) -> str:
    """Write a commit that moves a ref from `before` (None: there was none) to it; gives its oid."""
    for text in (commit.author, commit.committer):
        if not text.isprintable() or text.startswith(" ") or text.count("<") != 1 or text.count(">") != 1:
            raise Unread
    if not REF.fullmatch(ref) or any(each in f"{ref}/" for each in ("..", "./", ".lock/")):
        raise Unread
    if (path / "packed-refs").exists() or read_ref(path, ref) != before or b"\0" in commit.message:
        raise Unread
    made: dict[str, bytes] = {}
    tree = _changed(path, commit, made)
    parent = [] if commit.parent is None else [f"parent {commit.parent}"]
    head = [f"tree {tree}", *parent, f"author {commit.author}", f"committer {commit.committer}", "\n"]
    oid = _add(made, "commit", "\n".join(head).encode() + commit.message)
    _move(path, ref, oid, made)
    return oid


def _changed(path: Path, commit: NewCommit, made: dict[str, bytes]) -> str:
    """Apply the files to the parent's tree; gives the new tree's oid."""
    sizes = [len(blob[1]) for blob in commit.files.values() if blob is not None]
    if len(commit.files) > _MOST or sum(sizes) > LARGE:
        raise Unread
    root = _Folder()
    if commit.parent is not None:
        found = read_object((path,), commit.parent)
        if found is None or found.type != "commit":
            raise Unread
        root = _read(path, read_commit(found.oid, found.content).tree)
    for name, blob in commit.files.items():
        *above, last = _parts(name)
        _put(path, root, above, last, blob and _entry(made, *blob))
    return _write(root, made)


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    # Names that git refuses, and some more that may mean `.git` to a file system.
    refused = any(part in {"", ".", ".."} or part.lower() == ".git" or "~" in part for part in parts)
    if refused or not name.isascii() or not name.isprintable():
        raise Unread
    return parts


def _entry(made: dict[str, bytes], mode: str, content: bytes) -> tuple[str, str]:
    if mode not in _FILES:
        raise Unread
    return mode, _add(made, "blob", content)


def _put(path: Path, folder: _Folder, above: Iterable[str], last: str, entry: tuple[str, str] | None) -> None:
    for name in above:
        if name not in folder.folders:
            mode, oid = folder.entries.get(name, ("", ""))
            if entry is None and mode != _FOLDER:
                return
            folder.folders[name] = _read(path, oid) if mode == _FOLDER else _Folder()
            folder.entries[name] = _FOLDER, oid
        folder = folder.folders[name]
    folder.folders.pop(last, None)
    if entry is None:
        folder.entries.pop(last, None)
    else:
        folder.entries[last] = entry


def _read(path: Path, oid: str) -> _Folder:
    found = read_object((path,), oid)
    if found is None or found.type != "tree":
        raise Unread
    entries = {each.name: (each.mode.lstrip("0"), each.oid) for each in read_tree(found.content)}
    if any(mode not in _MODES or "\ufffd" in name for name, (mode, _) in entries.items()):
        raise Unread
    return _Folder(entries)


def _write(folder: _Folder, made: dict[str, bytes]) -> str:
    """Add the trees to what was made, without empty ones; gives the oid of the folder's."""
    for name, inner in folder.folders.items():
        oid = _write(inner, made)
        if inner.entries:
            folder.entries[name] = _FOLDER, oid
        else:
            del folder.entries[name]
    rows = []
    for name, (mode, oid) in folder.entries.items():
        raw = name.encode()
        # Git sorts a folder as if its name ended in a slash.
        rows.append((raw + b"/" * (mode == _FOLDER), b"%s %s\0%s" % (mode.encode(), raw, bytes.fromhex(oid))))
    return _add(made, "tree", b"".join(row for _, row in sorted(rows)))


def _add(made: dict[str, bytes], kind: str, content: bytes) -> str:
    raw = f"{kind} {len(content)}\0".encode() + content
    oid = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    made[oid] = raw
    return oid


def _move(path: Path, ref: str, oid: str, made: Mapping[str, bytes]) -> None:
    """Write the objects, then the ref under its lock, as git does."""
    target, lock = path / ref, path / f"{ref}.lock"
    if target.is_dir():  # there are, or were, branches below it
        raise Unread
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError:  # somebody else moves it, or a branch is in the way
        raise Unread from None
    try:
        with os.fdopen(descriptor, "w") as file:
            for name, raw in made.items():
                _store(path, name, raw)
            file.write(f"{oid}\n")
        lock.rename(target)
    except BaseException:
        lock.unlink(missing_ok=True)
        raise


def _store(path: Path, oid: str, raw: bytes) -> None:
    target = path / "objects" / oid[:2] / oid[2:]
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    # Readers never see a part of an object.
    beside = target.with_name(f"tmp_obj_{oid}")
    beside.write_bytes(zlib.compress(raw, 1))
    beside.chmod(0o444)
    beside.rename(target)
