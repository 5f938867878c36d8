"""The CI context: which entries of a commit's CI folder become files of the definition (contract, section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kubeci.model.source import CommitSource

MAX_DEPTH = 4  # subfolders below the CI folder
MAX_FILES = 200
MAX_FILE_BYTES = 1_000_000
MAX_TOTAL_BYTES = 4_000_000
MAX_PROBLEMS = 10_000
MAX_LINKS = 40  # hops of one resolution; Linux gives up (ELOOP) after as many


class EntryKind(StrEnum):
    """What a name in the CI folder stands for; folders themselves are no entries."""

    FILE = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name below the CI folder, as the tree holds it.

    `path` is relative to the folder, with slashes. `text` is a file's content or a symbolic link's target;
    None: it was not read whole. `size` is in bytes, as the tree says, `binary` that the content is no text.
    """

    path: str
    kind: EntryKind
    text: str | None
    size: int
    binary: bool = False


def assemble(entries: Iterable[Entry]) -> CommitSource:
    """Choose the files of a CI context from the entries of its folder.

    Shallow files come first, then the order of names, so that the limits (depth 4, 200 files, 1 MB a file,
    4 MB together) strike what is deepest. Symbolic links are followed inside the folder, to files and to folders.
    What is kept out becomes a problem, `path: reason`; see `kept_out`.
    """
    by_path: dict[str, Entry] = {}
    problems: list[str] = []
    for entry in entries:
        if _is_plain(entry.path):
            by_path[entry.path] = entry
        else:
            problems.append(f"{_printable(entry.path)}: is not a plain relative name")
    files: dict[str, str] = {}
    total = beyond = 0
    for path, found in sorted(_followed(by_path), key=lambda item: (item[0].count("/"), item[0])):
        if len(files) >= MAX_FILES:
            beyond += 1
            if "/" not in path and beyond <= MAX_PROBLEMS:
                problems.append(f"{path}: is beyond the first {MAX_FILES} files of the folder")
            continue
        reason = _refusal(path, found, total)
        if reason or not isinstance(found, Entry) or found.text is None:
            problems.append(f"{path}: {reason}")
            continue
        files[path] = found.text
        total += found.size
    if beyond:
        problems.append(
            f"the folder holds {beyond:,} entries beyond its first {MAX_FILES} files; they are not read"
        )
    return CommitSource(files=files, problems=tuple(problems))


def kept_out(problems: Sequence[str], path: str) -> str:
    """Give the reason why a file of the folder was kept out; empty when no problem names it."""
    start = f"{path}: "
    return next((problem.removeprefix(start) for problem in problems if problem.startswith(start)), "")


def _refusal(path: str, found: Entry | str, total: int) -> str:
    """Say why an entry is no file of the context; empty: it is one. A string for `found` is the reason itself."""
    if isinstance(found, str):
        return found
    if path.count("/") > MAX_DEPTH:
        return f"lies deeper than {MAX_DEPTH} subfolders"
    if found.kind is not EntryKind.FILE:
        return f"is a {found.kind}, not a file" if found.kind is EntryKind.SUBMODULE else "is not a file"
    if found.size > MAX_FILE_BYTES:
        return f"has {found.size:,} bytes; a file of the CI folder may have {MAX_FILE_BYTES:,}"
    if found.binary:
        return "is binary"
    if total + found.size > MAX_TOTAL_BYTES:
        return f"exceeds the {MAX_TOTAL_BYTES:,} bytes that the CI folder may have together"
    return "was not read whole" if found.text is None else ""


def _followed(entries: Mapping[str, Entry]) -> Iterator[tuple[str, Entry | str]]:
    """Pair each path with the entry it leads to, or with the reason why it leads nowhere."""
    folders = {path[:at] for path in entries for at, char in enumerate(path) if char == "/"}
    for path, entry in entries.items():
        if entry.kind is not EntryKind.SYMLINK:
            yield path, entry
            continue
        target = _resolve(path, entries)
        if target is None:
            yield path, "is a symbolic link that leads out of the folder or to nothing"
        elif target in entries:
            yield path, entries[target]
        elif target in folders:
            yield from _linked_folder(path, target, entries)
        else:
            yield path, "is a symbolic link that leads out of the folder or to nothing"


def _linked_folder(link: str, folder: str, entries: Mapping[str, Entry]) -> Iterator[tuple[str, Entry | str]]:
    """List what stands below a link to a folder; links to folders in there are not followed a second time."""
    for path in entries:
        if path.startswith(f"{folder}/"):
            target = _resolve(path, entries)
            found = entries.get(target) if target else None
            if found:
                yield link + path[len(folder) :], found


def _resolve(path: str, entries: Mapping[str, Entry]) -> str | None:
    """Follow the links in each part of a path; None when it leaves the folder or never ends."""
    done: list[str] = []
    rest = path.split("/")[::-1]
    hops = 0
    while rest:
        part = rest.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if not done:
                return None
            done.pop()
            continue
        done.append(part)
        entry = entries.get("/".join(done))
        if entry and entry.kind is EntryKind.SYMLINK:
            hops += 1
            if hops > MAX_LINKS or not entry.text or entry.text.startswith("/"):
                return None
            done.pop()
            rest.extend(entry.text.split("/")[::-1])
    return "/".join(done)


def _is_plain(path: str) -> bool:
    return path.isprintable() and not any(part in {"", ".", ".."} for part in path.split("/"))


def _printable(path: str) -> str:
    return ascii(path)[1:-1][:200]
