"""`builtin:///time`: starlark-go's module of that name, over Go's rules (contract, section 3).

Times and durations are structs; the interpreter lets nobody give them operators, so functions stand beside them:
`add`, `sub`, `mul`, `div`, `before`, `equal`, `to_string`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from kubeci.definition.go_duration import bounded, format_duration, parse_duration
from kubeci.definition.go_layout import format_time, offset_text
from kubeci.definition.go_time_reader import parse_time
from kubeci.definition.moment import Moment, at_date, at_nanoseconds
from kubeci.definition.zones import is_zone, zone_info

SOURCE = """
def _time(found):
    nanoseconds, location = found["unix_nano"], found["location"]
    return struct(
        year = found["year"],
        month = found["month"],
        day = found["day"],
        hour = found["hour"],
        minute = found["minute"],
        second = found["second"],
        nanosecond = found["nanosecond"],
        unix = found["unix"],
        unix_nano = nanoseconds,
        format = lambda layout: _format(nanoseconds, location, layout),
        in_location = lambda name: _time(_relocated(nanoseconds, name)),
        _location = location,
    )

def _duration(nanoseconds):
    return struct(
        hours = nanoseconds / 3600000000000,
        minutes = nanoseconds / 60000000000,
        seconds = nanoseconds / 1000000000,
        milliseconds = _whole(nanoseconds, 1000000),
        microseconds = _whole(nanoseconds, 1000),
        nanoseconds = nanoseconds,
    )

def _is_time(x):
    return type(x) == "struct" and hasattr(x, "unix_nano")

def _is_duration(x):
    return type(x) == "struct" and hasattr(x, "nanoseconds")

def _refuse(name, x, y):
    _not_for(name, _kind(x), _kind(y))

def _kind(x):
    return "time" if _is_time(x) else "duration" if _is_duration(x) else type(x)

def from_timestamp(sec, nsec = 0):
    return _time(_from_timestamp(sec, nsec))

def is_valid_timezone(loc):
    return _is_valid_timezone(loc)

def now():
    return _time(_now())

def parse_duration(d):
    return d if _is_duration(d) else _duration(_parse_duration(d))

def parse_time(x, format = "2006-01-02T15:04:05Z07:00", location = "UTC"):
    return _time(_parse_time(x, format, location))

def time(*, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, nanosecond = 0, location = ""):
    return _time(_date([year, month, day, hour, minute, second, nanosecond], location))

def add(x, y):
    if _is_duration(x) and _is_duration(y):
        return _duration(_bounded(x.nanoseconds + y.nanoseconds))
    if _is_duration(x) and _is_time(y):
        x, y = y, x
    if _is_time(x) and _is_duration(y):
        return _time(_at(x.unix_nano + y.nanoseconds, x._location))
    _refuse("add", x, y)

def sub(x, y):
    if _is_time(x) and _is_time(y):
        return _duration(_bounded(x.unix_nano - y.unix_nano))
    if _is_time(x) and _is_duration(y):
        return _time(_at(x.unix_nano - y.nanoseconds, x._location))
    if _is_duration(x) and _is_duration(y):
        return _duration(_bounded(x.nanoseconds - y.nanoseconds))
    _refuse("sub", x, y)

def mul(x, y):
    if type(x) == "int":
        x, y = y, x
    if _is_duration(x) and type(y) == "int":
        return _duration(_bounded(x.nanoseconds * y))
    _refuse("mul", x, y)

def div(x, y):
    if _is_duration(x) and _is_duration(y):
        return x.nanoseconds / y.nanoseconds
    if _is_duration(x) and type(y) == "int":
        return _duration(_whole(x.nanoseconds, y))
    _refuse("div", x, y)

def _numbers(name, x, y):
    if _is_time(x) and _is_time(y):
        return x.unix_nano, y.unix_nano
    if _is_duration(x) and _is_duration(y):
        return x.nanoseconds, y.nanoseconds
    _refuse(name, x, y)

def before(x, y):
    x, y = _numbers("before", x, y)
    return x < y

def equal(x, y):
    x, y = _numbers("equal", x, y)
    return x == y

def to_string(x):
    if _is_time(x):
        return _time_string(x.unix_nano, x._location)
    if _is_duration(x):
        return _duration_string(x.nanoseconds)
    _not_for("to_string", type(x))

nanosecond = _duration(1)
microsecond = _duration(1000)
millisecond = _duration(1000000)
second = _duration(1000000000)
minute = _duration(60000000000)
hour = _duration(3600000000000)
"""


def fields(moment: Moment) -> dict[str, Any]:
    """Give what a time's struct is made from."""
    return {
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "hour": moment.hour,
        "minute": moment.minute,
        "second": moment.second,
        "nanosecond": moment.nanosecond,
        "unix": moment.unix,
        "unix_nano": _nanoseconds(moment),
        "location": moment.location,
    }


def functions(now: int) -> Mapping[str, Callable[..., Any]]:
    """Give what the source stands on; `now` is in nanoseconds since 1970."""
    return {**_FUNCTIONS, "_now": lambda: at(now, "UTC")}


def at(nanoseconds: int, location: str) -> dict[str, Any]:
    """Give the time so long after 1970 in a location that is known."""
    return fields(at_nanoseconds(nanoseconds, location))


def from_timestamp(sec: Any, nsec: Any) -> dict[str, Any]:
    """Give the time so many seconds and nanoseconds after 1970, in UTC."""
    return at(_int("from_timestamp", sec) * 1_000_000_000 + _int("from_timestamp", nsec), "UTC")


def is_valid_timezone(loc: Any) -> bool:
    """Say whether there is a time zone of this name."""
    return is_zone(_text("is_valid_timezone", loc))


def relocated(nanoseconds: int, name: Any) -> dict[str, Any]:
    """Give the same time in another location."""
    return at(nanoseconds, _location("in_location", name))


def parse(x: Any, layout: Any, location: Any) -> dict[str, Any]:
    """Read a time by a Go layout."""
    texts = (_text("parse_time", x), _text("parse_time", layout))
    return fields(parse_time(*texts, _location("parse_time", location)))


def date(parts: list[Any], location: Any) -> dict[str, Any]:
    """Give the time of a date; numbers outside their ranges carry over, as in Go."""
    year, month, day, hour, minute, second, nanosecond = (_int("time", part) for part in parts)
    if max(map(abs, (year, month, day, hour, minute, second))) >= 1 << 40 or abs(nanosecond) >= 1 << 63:
        raise ValueError("time: a number is out of range")
    seconds = hour * 3600 + minute * 60 + second
    return fields(at_date((year, month, day), seconds, nanosecond, _location("time", location)))


def duration(d: Any) -> int:
    """Read a duration into nanoseconds."""
    return parse_duration(_text("parse_duration", d))


def write(nanoseconds: int, location: str, layout: Any) -> str:
    """Write a time by a Go layout."""
    return format_time(at_nanoseconds(nanoseconds, location), _text("format", layout))


def time_string(nanoseconds: int, location: str) -> str:
    """Write a time as Go prints it."""
    moment = at_nanoseconds(nanoseconds, location)
    zone = moment.zone_name or offset_text(moment.offset, "-0700")
    return f"{format_time(moment, '2006-01-02 15:04:05.999999999 -0700')} {zone}"


def not_for(name: str, *kinds: str) -> NoReturn:
    """Refuse the arguments of a function."""
    raise TypeError(f"time.{name}: not for {' and '.join(kinds)}")


def whole(dividend: int, divisor: int) -> int:
    """Divide towards zero, as Go divides integers."""
    if divisor == 0:
        raise ValueError("time.div: division by zero")
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _nanoseconds(moment: Moment) -> int:
    return moment.unix * 1_000_000_000 + moment.nanosecond


def _location(name: str, location: Any) -> str:
    """Read a location's name as Go's LoadLocation does; the server's own is UTC."""
    text = _text(name, location)
    if text in {"", "UTC", "Local"}:
        return "UTC"
    try:
        zone_info(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return text


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: got {_kind(value)}, want string")
    return value


def _int(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: got {_kind(value)}, want int")
    return value


def _kind(value: Any) -> str:
    kinds = {str: "string", type(None): "NoneType", dict: "struct or dict"}
    return kinds.get(type(value), type(value).__name__)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "_at": at,
    "_bounded": bounded,
    "_date": date,
    "_duration_string": format_duration,
    "_format": write,
    "_from_timestamp": from_timestamp,
    "_is_valid_timezone": is_valid_timezone,
    "_not_for": not_for,
    "_parse_duration": duration,
    "_parse_time": parse,
    "_relocated": relocated,
    "_time_string": time_string,
    "_whole": whole,
}
