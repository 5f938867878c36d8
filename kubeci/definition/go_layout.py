"""Go's time layouts: a reference time written the way times are to be written (pkg.go.dev/time, "Layout").

A layout is taken apart into elements (`2006`, `Jan`, `-07:00`) and the text between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from kubeci.definition.moment import DAYS, MONTHS, Moment

MAX_LAYOUT = 1_000  # characters
_ELEMENT = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|__2|_2(?!006)|2006|2|3|4|5|PM|pm"
    r"|[-Z]07(?:00(?:00)?|:00(?::00)?)?|[.,](?:0+|9+)(?![0-9])"
)


def elements(layout: str) -> Iterator[tuple[str, str]]:
    """Give each element of a layout with the text before it; the last has an empty element."""
    if len(layout) > MAX_LAYOUT:
        raise ValueError(f"a layout of {len(layout):,} characters; at most {MAX_LAYOUT:,} are accepted")
    done = 0
    for found in _ELEMENT.finditer(layout):
        yield layout[done : found.start()], found[0]
        done = found.end()
    yield layout[done:], ""


def format_time(moment: Moment, layout: str) -> str:
    """Write a time by a layout."""
    out: list[str] = []
    for text, element in elements(layout):
        out.append(text)
        if element[:2] in {"-0", "Z0"}:
            out.append(offset_text(moment.offset, element))
        elif element[:1] in {".", ","}:
            out.append(_fraction(moment.nanosecond, element))
        elif element:
            out.append(_WRITERS[element](moment))
    return "".join(out)


def offset_text(offset: int, element: str) -> str:
    """Write an offset in seconds by an element such as `-0700` or `Z07:00`."""
    if element[0] == "Z" and offset == 0:
        return "Z"
    sign, seconds = ("-" if offset < 0 else "+"), abs(offset)
    colon = ":" if ":" in element else ""
    parts = [f"{seconds // 3600:02}", f"{seconds // 60 % 60:02}", f"{seconds % 60:02}"]
    return sign + colon.join(parts[: sum(map(str.isdigit, element)) // 2])


def _fraction(nanosecond: int, element: str) -> str:
    digits = f"{nanosecond:09}"[: len(element) - 1]
    if element[1] == "9":
        digits = digits.rstrip("0")
        return element[0] + digits if digits else ""
    return element[0] + digits


def _zone(moment: Moment) -> str:
    if moment.zone_name:
        return moment.zone_name
    # Go prints hours and minutes of a zone without a name.
    sign, minutes = ("-" if moment.offset < 0 else "+"), abs(moment.offset) // 60
    return f"{sign}{minutes // 60:02}{minutes % 60:02}"


_WRITERS: Mapping[str, Callable[[Moment], str]] = {
    "2006": lambda t: f"{t.year:04}",
    "06": lambda t: f"{t.year % 100:02}",
    "January": lambda t: MONTHS[t.month - 1],
    "Jan": lambda t: MONTHS[t.month - 1][:3],
    "01": lambda t: f"{t.month:02}",
    "1": lambda t: str(t.month),
    "Monday": lambda t: DAYS[t.weekday],
    "Mon": lambda t: DAYS[t.weekday][:3],
    "02": lambda t: f"{t.day:02}",
    "_2": lambda t: f"{t.day:2}",
    "2": lambda t: str(t.day),
    "002": lambda t: f"{t.year_day:03}",
    "__2": lambda t: f"{t.year_day:3}",
    "15": lambda t: f"{t.hour:02}",
    "03": lambda t: f"{t.hour % 12 or 12:02}",
    "3": lambda t: str(t.hour % 12 or 12),
    "04": lambda t: f"{t.minute:02}",
    "4": lambda t: str(t.minute),
    "05": lambda t: f"{t.second:02}",
    "5": lambda t: str(t.second),
    "PM": lambda t: "PM" if t.hour >= 12 else "AM",
    "pm": lambda t: "pm" if t.hour >= 12 else "am",
    "MST": _zone,
}
