"""Files that a definition loads from elsewhere, and the record of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A file as it was read; `sha` is the commit's in a repository, `sha256:…` of the content on the web."""

    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file that a build loaded: its address as messages show it, and what it was read at."""

    address: str
    sha: str
