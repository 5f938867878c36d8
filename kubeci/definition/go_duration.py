"""Durations as Go writes and reads them: `1h15m30.918s` (pkg.go.dev/time, "Duration")."""

from __future__ import annotations

import re

UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
LONGEST = (1 << 63) - 1
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")


def bounded(nanoseconds: int) -> int:
    """Give a duration back when Go's 64 bits hold it; ValueError otherwise."""
    if not -LONGEST - 1 <= nanoseconds <= LONGEST:
        raise ValueError("a duration of more than 292 years")
    return nanoseconds


def parse_duration(text: str) -> int:
    """Read a duration into nanoseconds; ValueError with Go's words."""
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total = 0
    if not rest:
        raise _invalid(text)
    while rest:
        match = _PART.match(rest)
        if match is None or not (match[1] or match[2]):
            raise _invalid(text)
        whole, fraction, unit = match.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text[:200]}"')
        if unit not in UNITS:
            raise ValueError(f'time: unknown unit "{unit[:50]}" in duration "{text[:200]}"')
        digits = (fraction or "")[:18]
        total += int(whole[:30] or "0") * UNITS[unit] + int(digits or "0") * UNITS[unit] // 10 ** len(digits)
        if total > LONGEST + (sign < 0):
            raise _invalid(text)
        rest = rest[match.end() :]
    return sign * total


def format_duration(nanoseconds: int) -> str:
    """Write a duration: hours, minutes and seconds, or one smaller unit for less than a second."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    for unit in ("ns", "µs", "ms"):
        if rest < UNITS[unit] * 1_000:
            return f"{sign}{_decimal(rest, UNITS[unit])}{unit}"
    hours, rest = divmod(rest, UNITS["h"])
    minutes, rest = divmod(rest, UNITS["m"])
    out = f"{_decimal(rest, UNITS['s'])}s"
    if hours or minutes:
        out = f"{minutes}m{out}"
    return sign + (f"{hours}h{out}" if hours else out)


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = str(unit + rest)[1:].rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def _invalid(text: str) -> ValueError:
    return ValueError(f'time: invalid duration "{text[:200]}"')
