"""What the bytes of git objects say: tree entries, commits, tags."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a tree; `mode` is octal text of six digits, `type` what GitHub calls it."""

    mode: str
    name: str
    oid: str

    @property
    def type(self) -> str:
        """Give blob, tree or commit (a submodule)."""
        return {"040000": "tree", "160000": "commit"}.get(self.mode, "blob")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who did it, and when."""

    name: str
    email: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit's content."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag's content."""

    oid: str
    object: str
    type: str
    name: str
    tagger: Signature
    message: str


def read_tree(content: bytes) -> list[TreeEntry]:
    """Read a tree object (git's own format: mode, blank, name, NUL, 20 bytes of oid)."""
    entries = []
    position = 0
    while position < len(content):
        nul = content.index(b"\0", position)
        mode, _, name = content[position:nul].partition(b" ")
        oid = content[nul + 1 : nul + 21].hex()
        entries.append(TreeEntry(mode.decode().zfill(6), name.decode("utf-8", "replace"), oid))
        position = nul + 21
    return entries


def read_commit(oid: str, content: bytes) -> Commit:
    """Read a commit object."""
    headers, message = _split(content)
    return Commit(
        oid,
        headers["tree"][0],
        tuple(headers.get("parent", ())),
        _signature(headers["author"][0]),
        _signature(headers["committer"][0]),
        message,
    )


def read_tag(oid: str, content: bytes) -> Tag:
    """Read an annotated tag's object."""
    headers, message = _split(content)
    tagger = headers.get("tagger", ["unknown <> 0 +0000"])[0]
    return Tag(oid, headers["object"][0], headers["type"][0], headers["tag"][0], _signature(tagger), message)


def is_binary(content: bytes) -> bool:
    """Say whether git would call these bytes binary: a NUL in the first 8,000."""
    return b"\0" in content[:8000]


def skips_checks(message: str) -> bool:
    """Say whether a commit message ends with the trailer `skip-checks: true` (docs.github.com, "About status checks")."""
    last = message.rstrip().rpartition("\n\n")[2]
    return any(
        line.strip().lower() in {"skip-checks: true", "skip-checks:true"} for line in last.splitlines()
    )


def _split(content: bytes) -> tuple[dict[str, list[str]], str]:
    head, _, message = content.decode("utf-8", "replace").partition("\n\n")
    headers: dict[str, list[str]] = {}
    for line in head.split("\n"):
        if not line.startswith(" "):  # continuation lines belong to signatures, which we do not read
            name, _, value = line.partition(" ")
            headers.setdefault(name, []).append(value)
    return headers, message


def _signature(text: str) -> Signature:
    who, _, when = text.rpartition("> ")
    name, _, email = who.partition("<")
    seconds, _, zone = when.partition(" ")
    try:
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
        date = datetime.fromtimestamp(int(seconds), timezone(offset))
    except (ValueError, IndexError, OverflowError):
        date = datetime.fromtimestamp(0, UTC)
    return Signature(name.strip(), email, date)
