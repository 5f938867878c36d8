"""Time zones, kept in memory: the process of an evaluation can open no file."""

from __future__ import annotations

import io
import os
import zoneinfo
from functools import cache
from importlib.util import find_spec
from zoneinfo import ZoneInfo

_CONTENT: dict[str, bytes] = {}
_NO_ZONES = frozenset({"posix", "posixrules", "right"})
"""Other forms of the database in its folder; docs.python.org, "zoneinfo", available_timezones."""


def preload() -> None:
    """Read the whole time zone database, the system's or else Python's, once a process (600 small files)."""
    for folder in [*zoneinfo.TZPATH, *_packaged()]:
        _read(folder)


def _packaged() -> list[str]:
    """Give the folder of the package `tzdata`, which has what the system's database lacks."""
    found = find_spec("tzdata")
    return [f"{place}/zoneinfo" for place in found.submodule_search_locations or ()] if found else []


def _read(database: str, below: str = "") -> None:
    """Take each zone of a folder that is not known yet."""
    try:
        entries = list(os.scandir(f"{database}/{below}"))
    except OSError:  # it need not be there
        return
    for entry in entries:
        name = f"{below}{entry.name}"
        if name in _NO_ZONES or name in _CONTENT:
            continue
        if entry.is_dir():
            _read(database, f"{name}/")
        else:
            with io.FileIO(entry.path) as file:
                content = file.read()
            if content.startswith(b"TZif"):
                _CONTENT[name] = content


def is_zone(name: str) -> bool:
    """Say whether Go's LoadLocation takes a name."""
    return name in {"", "UTC", "Local"} or bool(_content(name))


@cache
def zone_info(name: str) -> ZoneInfo:
    """Give a zone by its name in the database; ValueError when there is none."""
    content = _content(name)
    if not content:
        raise ValueError(f"unknown time zone {name[:100]}")
    return ZoneInfo.from_file(io.BytesIO(content), key=name)


def _content(name: str) -> bytes:
    if not _CONTENT:
        preload()
    return _CONTENT.get(name, b"")
