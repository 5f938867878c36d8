"""Time zones, kept in memory: the process of an evaluation can open no file."""

from __future__ import annotations

import io
import zoneinfo
from functools import cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

_CONTENT: dict[str, bytes] = {}


def preload() -> None:
    """Read the whole time zone database, the system's or else Python's, once a process (600 small files)."""
    for name in zoneinfo.available_timezones():
        if name not in _CONTENT:
            content = _read(name)
            if content:
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


def _read(name: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file():
            return path.read_bytes()
    package, _, file = f"tzdata.zoneinfo.{name.replace('/', '.')}".rpartition(".")
    try:
        return resources.files(package).joinpath(file).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        return b""
