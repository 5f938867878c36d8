"""Times read by a Go layout, as Go's time.Parse reads them (pkg.go.dev/time, "Parse")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubeci.definition.go_layout import elements
from kubeci.definition.moment import (
    DAYS,
    MONTHS,
    Moment,
    abbreviated,
    at_date,
    days_from_civil,
    days_in,
    fixed_location,
    in_effect,
)

MAX_TEXT = 1_000  # characters


class _Mismatch(Exception):
    """The text is not what an element or the text before it asks for; `rest` is where that shows, if not at its start."""

    def __init__(self, rest: str = "") -> None:
        super().__init__(rest)
        self.rest = rest


class _OutOfRange(Exception):
    """A number is none that its element can have."""


@dataclass(slots=True)
class _Found:
    """What was read so far; -1: nothing."""

    year: int = 0
    month: int = -1
    day: int = -1
    year_day: int = -1
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanosecond: int = 0
    afternoon: bool | None = None
    utc: bool = False
    offset: int | None = None
    zone_name: str = ""


def parse_time(text: str, layout: str, location: str) -> Moment:
    """Read a time by a layout; without a zone in it, it is one of `location`. ValueError with Go's words."""
    if len(text) > MAX_TEXT:
        raise ValueError(
            f"parsing time: a text of {len(text):,} characters; at most {MAX_TEXT:,} are accepted"
        )
    found, rest = _Found(), text
    parts = list(elements(layout))
    for number, (before, element) in enumerate(parts):
        try:
            rest = _skip(rest, before)
        except _Mismatch as mismatch:
            raise _cannot(text, layout, mismatch.rest, before) from None
        if not element:
            break
        held = rest
        following = parts[number + 1][1] if not parts[number + 1][0] else ""
        try:
            rest = _read(element, found, rest, following)
        except _Mismatch:
            raise _cannot(text, layout, held, element) from None
        except _OutOfRange as error:
            raise ValueError(f'parsing time "{text}": {error} out of range') from None
    if rest:
        raise ValueError(f'parsing time "{text}": extra text: "{rest}"')
    try:
        return _moment(found, location)
    except _OutOfRange as error:
        raise ValueError(f'parsing time "{text}": {error}') from None


def _cannot(text: str, layout: str, rest: str, element: str) -> ValueError:
    return ValueError(f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{element}"')


def _skip(text: str, prefix: str) -> str:
    """Pass over the text between elements; a run of blanks stands for any number of them."""
    at = 0
    while at < len(prefix):
        if prefix[at] == " ":
            if text and text[0] != " ":
                raise _Mismatch(text)
            at = len(prefix) - len(prefix[at:].lstrip(" "))
            text = text.lstrip(" ")
        elif text[:1] == prefix[at]:
            at, text = at + 1, text[1:]
        else:
            raise _Mismatch(text)
    return text


def _read(element: str, found: _Found, text: str, following: str) -> str:
    if element[0] in "-Z":
        return _offset(element, found, text)
    if element[0] in ".,":
        return _fraction(element, found, text)
    if element in {"05", "5"}:
        text = _second(element, found, text)
        # A fraction may follow the seconds though the layout has none.
        return text if following[:1] in {".", ","} else _fraction(".9", found, text)
    return _READERS[element](element, found, text)


def _digits(text: str, least: int, most: int) -> tuple[int, str]:
    match = re.match(rf"[0-9]{{{least},{most}}}", text)
    if match is None:
        raise _Mismatch
    return int(match[0]), text[match.end() :]


def _number(
    name: str, low: int, high: int, *, padded: int = 0, width: int = 2
) -> Callable[[str, _Found, str], str]:
    """Make a reader of a number; `padded` is the number of leading blanks that are passed over."""

    def read(element: str, found: _Found, text: str) -> str:
        for _ in range(padded):
            text = text.removeprefix(" ")
        value, text = _digits(text, width if element[0] == "0" else 1, width)
        if not low <= value <= high:
            raise _OutOfRange(name.replace("year_day", "day-of-year"))
        setattr(found, name, value)
        return text

    return read


def _name(names: tuple[str, ...], length: int | None, target: str) -> Callable[[str, _Found, str], str]:
    """Make a reader of a month's or day's name, in any case."""

    def read(_element: str, found: _Found, text: str) -> str:
        for number, name in enumerate(names, start=1):
            wanted = name[:length]
            if text[: len(wanted)].lower() == wanted.lower():
                if target:
                    setattr(found, target, number)
                return text[len(wanted) :]
        raise _Mismatch

    return read


def _long_year(_element: str, found: _Found, text: str) -> str:
    found.year, text = _digits(text, 4, 4)
    return text


def _short_year(_element: str, found: _Found, text: str) -> str:
    year, text = _digits(text, 2, 2)
    found.year = year + (1900 if year >= 69 else 2000)
    return text


def _half(element: str, found: _Found, text: str) -> str:
    halves = ("PM", "AM") if element == "PM" else ("pm", "am")
    if text[:2] not in halves:
        raise _Mismatch
    found.afternoon = text[:2] == halves[0]
    return text[2:]


def _offset(element: str, found: _Found, text: str) -> str:
    if element[0] == "Z" and text[:1] == "Z":
        found.utc = True
        return text[1:]
    shape = re.sub("[0-9]{2}", "([0-9]{2})", element[1:])
    match = re.match(f"([-+]){shape}", text)
    if match is None:
        raise _Mismatch
    hours, minutes, seconds = ([int(part) for part in match.groups()[1:]] + [0, 0])[:3]
    for value, most, what in ((hours, 24, "hour"), (minutes, 60, "minute"), (seconds, 60, "second")):
        if value > most:
            raise _OutOfRange(f"time zone offset {what}")
    found.offset = (hours * 3600 + minutes * 60 + seconds) * (-1 if match[1] == "-" else 1)
    return text[match.end() :]


def _fraction(element: str, found: _Found, text: str) -> str:
    exact = len(element) - 1 if element[1] == "0" else 0
    match = re.match(rf"[.,]([0-9]{{{exact}}})" if exact else "[.,]([0-9]+)", text)
    if match is None:
        if exact:
            raise _Mismatch
        return text
    found.nanosecond = int(match[1][:9].ljust(9, "0"))
    return text[match.end() :]


_ABBREVIATION = re.compile(r"ChST|MeST|GMT(?:[-+][0-9]+)?|[-+][0-9]+|[A-Z]{3,6}")


def _zone(_element: str, found: _Found, text: str) -> str:
    if text.startswith("UTC"):
        found.utc = True
        return text[3:]
    match = _ABBREVIATION.match(text)
    if match is None:
        raise _Mismatch
    name = match[0]
    sign = max(name.find("+"), name.find("-"))
    if sign >= 0 and int(name[sign + 1 :][:4]) > 23:
        name = name[:sign]
    elif name.isupper() and name.isalpha() and not name.startswith("GMT"):
        if len(name) == 6 or (len(name) == 5 and name[4] != "T"):
            raise _Mismatch
        if len(name) == 4 and name[3] != "T" and name != "WITA":
            raise _Mismatch
    if not name:
        raise _Mismatch
    found.zone_name = name
    return text[len(name) :]


def _moment(found: _Found, location: str) -> Moment:
    """Put together what was read."""
    _settle_day(found)
    hour = found.hour
    if found.afternoon is not None:
        hour = hour % 12 + 12 * found.afternoon if hour <= 12 else hour
    seconds = hour * 3600 + found.minute * 60 + found.second
    date = (found.year, found.month, found.day)
    if found.utc:
        return at_date(date, seconds, found.nanosecond, "UTC")
    if found.offset is None and not found.zone_name:
        return at_date(date, seconds, found.nanosecond, location)
    unix = days_from_civil(*date) * 86_400 + seconds
    name = found.zone_name
    if found.offset is not None:
        unix -= found.offset
        local_name, local_offset = in_effect(location, unix)
        if local_offset != found.offset or name not in {"", local_name}:
            location = fixed_location(name, found.offset)
        return Moment(unix, found.nanosecond, location)
    offset = abbreviated(location, name, unix)
    if offset is not None:
        return Moment(unix - offset, found.nanosecond, location)
    offset = int(name[3:]) * 3600 if re.fullmatch(r"GMT[-+][0-9]+", name) else 0
    return Moment(unix - offset, found.nanosecond, fixed_location(name, offset))


def _settle_day(found: _Found) -> None:
    """Bring month, day of month and day of year together."""
    if found.year_day < 0:
        found.month, found.day = max(found.month, 1), 1 if found.day < 0 else found.day
    else:
        first = days_from_civil(found.year, 1, 1)
        if not 1 <= found.year_day <= days_from_civil(found.year + 1, 1, 1) - first:
            raise _OutOfRange("day-of-year out of range")
        month, day = 1, found.year_day
        while day > days_in(month, found.year):
            day -= days_in(month, found.year)
            month += 1
        if found.month not in {-1, month}:
            raise _OutOfRange("day-of-year does not match month")
        if found.day not in {-1, day}:
            raise _OutOfRange("day-of-year does not match day")
        found.month, found.day = month, day
    if not 1 <= found.day <= days_in(found.month, found.year):
        raise _OutOfRange("day out of range")


_second = _number("second", 0, 59)
_month = _number("month", 1, 12)
_READERS: Mapping[str, Callable[[str, _Found, str], str]] = {
    "2006": _long_year,
    "06": _short_year,
    "January": _name(MONTHS, None, "month"),
    "Jan": _name(MONTHS, 3, "month"),
    "01": _month,
    "1": _month,
    "Monday": _name(DAYS, None, ""),
    "Mon": _name(DAYS, 3, ""),
    "02": _number("day", 0, 99),
    "2": _number("day", 0, 99),
    "_2": _number("day", 0, 99, padded=1),
    "002": _number("year_day", 0, 999, width=3),
    "__2": _number("year_day", 0, 999, padded=2, width=3),
    "15": _number("hour", 0, 23),
    "03": _number("hour", 0, 12),
    "3": _number("hour", 0, 12),
    "04": _number("minute", 0, 59),
    "4": _number("minute", 0, 59),
    "PM": _half,
    "pm": _half,
    "MST": _zone,
}
