"""What is asked of runs by name, and what comes of it (contract, section 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kubeci.errors import Location
from kubeci.model.build import Build
from kubeci.model.context import Entry, EntryKind, assemble
from kubeci.model.json import JsonObject
from kubeci.model.repository import Ref


class Why(StrEnum):
    """Whose turn it is after a refusal."""

    CONTENT = "content"
    """What was asked for cannot work: its author mends it."""
    STATE = "state"
    """It cannot be done as things are, or is not let."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Nothing was done; `reason` is for who asked, `debug` is what the definition printed, `where` the place of an error."""

    reason: str
    why: Why = Why.CONTENT
    debug: str = ""
    where: Location | None = None
    field: str = ""
    """The field of the request that it is about."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A commit to run, as somebody named it; `files` stand in for the CI files of the repository."""

    owner: str
    name: str
    ref: Ref
    sha: str
    entrypoint: str = ""
    files: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who asks: a name for the records, which repositories (`owner/name`) are reached, and the key of the wish.

    The same key is the same wish; empty: a new one.
    """

    name: str
    may: Callable[[str], bool]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The workflow that would be submitted; `debug` holds what the definition printed, and its warnings."""

    workflow: JsonObject
    debug: str


@dataclass(frozen=True, slots=True)
class Started:
    """A run; `new`: it was started now, not by an earlier request of the same key."""

    rendered: Rendered
    build: Build
    new: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """What came of a retry in a sentence, and the build that runs again or was built in its place."""

    told: str
    build: Build


def context_files(given: Mapping[str, str]) -> Mapping[str, str] | Unfit:
    """Give the files of a CI context that came with a request, a `/` before their names cut.

    They obey the bounds of a repository's CI folder (contract, section 3); unlike there, nothing is left out silently.
    """
    entries = [
        Entry(path.removeprefix("/"), EntryKind.FILE, text, len(text.encode()), binary="\0" in text)
        for path, text in given.items()
    ]
    if len({entry.path for entry in entries}) < len(entries):
        return Unfit("`ci_context` names a file twice, with and without a `/` before it", field="ci_context")
    source = assemble(entries)
    if source.problems:
        return Unfit(f"`ci_context`: {'; '.join(source.problems[:10])}", field="ci_context")
    return source.files or {}
