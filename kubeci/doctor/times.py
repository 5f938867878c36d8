"""Times as people say them."""

from __future__ import annotations

from datetime import datetime


def ago(moment: datetime, now: float) -> str:
    """Say how long a moment is past, roughly; `now` is in epoch seconds."""
    seconds = max(0.0, now - moment.timestamp())
    if seconds < 90:
        return "just now"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length or unit == "minute":
            return f"{round(seconds / length)} {unit}s ago"
    return "just now"
