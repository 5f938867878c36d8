"""Times and spans of time as a person reads them; none of them needs a clock."""

from __future__ import annotations

from datetime import UTC, datetime


def span(started: datetime | None, finished: datetime | None) -> str:
    """Write the time between two moments, such as `3m 12s`; empty unless both are known and in order."""
    if started is None or finished is None or finished < started:
        return ""
    seconds = int((finished - started).total_seconds())
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"


def since(started: datetime | None) -> str:
    """Write `since HH:MM UTC`, or nothing while the moment is unknown."""
    return f"since {started.astimezone(UTC):%H:%M} UTC" if started else ""
