"""The CI context of a working tree, read under the limits that hold for a commit (contract, section 3)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kubeci.model.context import MAX_DEPTH, MAX_FILE_BYTES, MAX_TOTAL_BYTES, Entry, EntryKind, assemble
from kubeci.model.source import CommitSource

MAX_ENTRIES = 10_000
_BINARY_PROBE_BYTES = 8_000  # git looks for a NUL in as many


def read_context(folder: Path) -> CommitSource:
    """Read the files of a CI folder, its subfolders included; `files` is None when there is no such folder.

    What is kept out, and why, stands in `problems`. Blocking: for commands, not for the server.
    """
    if not folder.is_dir():
        return CommitSource(files=None)
    return assemble(_entries(folder))


def _entries(folder: Path) -> Iterator[Entry]:
    budget = MAX_TOTAL_BYTES
    for path in _names(folder):
        name = path.relative_to(folder).as_posix()
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            yield Entry(name, EntryKind.SYMLINK, str(path.readlink()), found.st_size)
        elif not stat.S_ISREG(found.st_mode):
            yield Entry(name, EntryKind.OTHER, None, found.st_size)
        elif found.st_size > min(budget, MAX_FILE_BYTES):
            yield Entry(name, EntryKind.FILE, None, found.st_size)
        else:
            budget -= found.st_size
            yield _file(name, path)


def _names(folder: Path) -> Iterator[Path]:
    """Walk breadth first, as the limits count; links are not followed here."""
    level = [folder]
    count = 0
    for _depth in range(MAX_DEPTH + 2):
        below: list[Path] = []
        for parent in level:
            with os.scandir(parent) as found:
                children = sorted(found, key=lambda child: child.name)
            for child in children:
                if child.is_dir(follow_symlinks=False):
                    below.append(Path(child.path))
                    continue
                count += 1
                if count > MAX_ENTRIES:
                    return
                yield Path(child.path)
        level = below


def _file(name: str, path: Path) -> Entry:
    content = path.read_bytes()[: MAX_FILE_BYTES + 1]
    try:
        text = None if b"\0" in content[:_BINARY_PROBE_BYTES] else content.decode()
    except UnicodeDecodeError:
        text = None
    return Entry(name, EntryKind.FILE, text, len(content), binary=text is None)
