"""Times and durations as manifests write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")


def parse_time(text: str) -> datetime:
    """Read a time as Kubernetes writes it (RFC 3339, UTC)."""
    return datetime.fromisoformat(text).astimezone(UTC)


def format_time(moment: datetime) -> str:
    """Write a time as Kubernetes does: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> float:
    """Read a duration (`90`, `30s`, `1h30m`) in seconds; raises ValueError."""
    if text.isascii() and text.isdigit():
        return float(text[:12])
    if not text or _PART.sub("", text):
        raise ValueError(f"'{text}' is not a duration")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
