"""Durations as Go writes them: `2s`, `1m30s`, `1.5h` (pkg.go.dev/time#ParseDuration)."""

from __future__ import annotations

import re

from kubeci.errors import ConfigurationError

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def duration_seconds(text: str) -> float:
    """Give a Go duration in seconds; a bare number but `0` is a `ConfigurationError`, as is a negative one."""
    if text == "0":
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ConfigurationError(f"`{text}` is not a duration such as 2s, 1m30s or 500ms")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


class Duration:
    """A duration of the settings file, as it was written; raises `ConfigurationError` for what is none."""

    # No dataclass: msgspec would read one from an object, and never ask the settings' own decoder.
    __slots__ = ("seconds", "text")

    def __init__(self, text: str) -> None:
        """Read `text`."""
        self.text = text
        self.seconds = duration_seconds(text)

    def __str__(self) -> str:
        """Give what was written."""
        return self.text

    def __repr__(self) -> str:
        return f"Duration({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and other.seconds == self.seconds

    def __hash__(self) -> int:
        return hash(self.seconds)
