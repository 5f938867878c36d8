"""A point in time as Go's time.Time sees it: seconds, nanoseconds and a location that gives it a civil date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from kubeci.definition.zones import zone_info

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MIN_YEAR, MAX_YEAR = 0, 9999
_EPOCH_DAY = 719_468  # days from 0000-03-01 to 1970-01-01
_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """A time: `unix` seconds, `nanosecond` 0 to 999,999,999, `location` as `locate` reads it."""

    unix: int
    nanosecond: int
    location: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse what lies outside the years that layouts can write."""
        if not MIN_YEAR <= self._civil[0] <= MAX_YEAR:
            raise ValueError(f"a time outside the years {MIN_YEAR} to {MAX_YEAR}")

    @cached_property
    def _zone(self) -> tuple[str, int]:
        return in_effect(self.location, self.unix)

    @property
    def zone_name(self) -> str:
        """Give the zone's abbreviation; empty when it has none."""
        return self._zone[0]

    @property
    def offset(self) -> int:
        """Give the seconds east of UTC."""
        return self._zone[1]

    @cached_property
    def _civil(self) -> tuple[int, int, int]:
        return civil_from_days((self.unix + self.offset) // _DAY)

    @property
    def year(self) -> int:
        """Give the year."""
        return self._civil[0]

    @property
    def month(self) -> int:
        """Give the month, from 1."""
        return self._civil[1]

    @property
    def day(self) -> int:
        """Give the day of the month, from 1."""
        return self._civil[2]

    @property
    def year_day(self) -> int:
        """Give the day of the year, from 1."""
        return (self.unix + self.offset) // _DAY - days_from_civil(self.year, 1, 1) + 1

    @property
    def weekday(self) -> int:
        """Give the day of the week; 0 is Sunday."""
        return ((self.unix + self.offset) // _DAY + 4) % 7

    @property
    def hour(self) -> int:
        """Give the hour, 0 to 23."""
        return (self.unix + self.offset) % _DAY // 3600

    @property
    def minute(self) -> int:
        """Give the minute."""
        return (self.unix + self.offset) % 3600 // 60

    @property
    def second(self) -> int:
        """Give the second."""
        return (self.unix + self.offset) % 60


def at_nanoseconds(nanoseconds: int, location: str) -> Moment:
    """Give the time so many nanoseconds after 1970 in UTC."""
    return Moment(nanoseconds // 1_000_000_000, nanoseconds % 1_000_000_000, location)


def at_date(date: tuple[int, int, int], seconds: int, nanosecond: int, location: str) -> Moment:
    """Give the time of a civil date, of any month and day number, and seconds since its midnight (Go's time.Date).

    Where the clock is set back or forward the time is right in one of the two zones.
    """
    year, month, day = date
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    local = (days_from_civil(year, month, 1) + day - 1) * _DAY + seconds + nanosecond // 1_000_000_000
    offset = in_effect(location, local)[1]
    offset = in_effect(location, local - offset)[1]
    return Moment(local - offset, nanosecond % 1_000_000_000, location)


def fixed_location(name: str, offset: int) -> str:
    """Write a location that has one offset for ever, as a time that was read with its offset has."""
    return f"={offset} {name}"


def in_effect(location: str, unix: int) -> tuple[str, int]:
    """Give abbreviation and offset of a location at a time; ValueError when there is no such location."""
    if location == "UTC":
        return "UTC", 0
    if location.startswith("="):
        offset, _, name = location[1:].partition(" ")
        return name, int(offset)
    zone = zone_info(location)
    local = _clamped(unix, zone)
    offset_now = local.utcoffset() or timedelta()
    return local.tzname() or "", int(offset_now.total_seconds())


def abbreviated(location: str, name: str, unix: int) -> int | None:
    """Find the offset that a location's abbreviation stands for, near a time; None: the location has none such."""
    for days in (0, 91, 182, 273, -91, -182, -273):
        at = in_effect(location, unix + days * _DAY)
        if at[0] == name:
            return at[1]
    return None


def _clamped(unix: int, zone: ZoneInfo) -> datetime:
    """Give a time in a zone; a zone does not change in years that Python's calendar lacks."""
    low, high = -62_135_500_000, 253_402_200_000
    return (_EPOCH + timedelta(seconds=min(max(unix, low), high))).astimezone(zone)


def days_from_civil(year: int, month: int, day: int) -> int:
    """Count the days from 1970-01-01 to a date of the Gregorian calendar."""
    shifted = year - (month <= 2)
    era_day = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400
    return era_day + (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - _EPOCH_DAY


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Turn days since 1970-01-01 into year, month and day."""
    era, of_era = divmod(days + _EPOCH_DAY, 146_097)
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return era * 400 + year_of_era + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def days_in(month: int, year: int) -> int:
    """Count the days of a month."""
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    return days_from_civil(*following, 1) - days_from_civil(year, month, 1)
