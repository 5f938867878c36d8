"""The sweep by itself: clocks that are off, lists that hold nothing, repositories that cannot be compared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from kubeci.errors import UpstreamError
from kubeci.model.attempt import Attempt, AttemptPage
from kubeci.model.heads import Installation, Installed
from kubeci.model.repository import Repository
from kubeci.service.compare import Comparison
from kubeci.service.dispatch import Admission
from kubeci.service.sweep import FIRST, SWEPT, Sweep, Sweeper, SweepPace
from kubeci.telemetry import Metrics

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAGE = 100


@dataclass
class Small:
    """GitHub, the inbox and the marks in a few lines; our clock is `fast`."""

    fast: timedelta = timedelta()
    now: datetime = START
    listed: list[Attempt] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    marks: dict[str, datetime] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    windows: list[tuple[str, datetime]] = field(default_factory=list)
    """What was compared, from when on."""
    pages: int = 0
    metrics: Metrics = field(default_factory=Metrics)

    def clock(self) -> datetime:
        return self.now + self.fast

    def sweeper(self) -> Sweeper:
        """One that knows only the marks, as after a start."""
        port = cast("Any", self)
        comparison = Comparison(port, port, port, Admission(1), self.clock, lambda: None)
        pace = SweepPace(between=0, arrival=0.01, look=0.01)
        read, retention = frozenset({("push", "")}), timedelta(days=30)
        return Sweeper(
            Sweep(port, port, port, comparison.compare, read, retention, self.clock, self.metrics, pace)
        )

    async def page(self, cursor: str = "") -> AttemptPage:
        self.pages += 1
        kept = [each for each in self.listed if each.delivered_at > self.now - timedelta(days=3)]
        kept.sort(key=lambda each: (each.delivered_at, each.id), reverse=True)
        first = int(cursor or 0)
        return AttemptPage(
            tuple(kept[first : first + PAGE]), str(first + PAGE) if len(kept) > first + PAGE else ""
        )

    def fail(self, guid: str, status: int = 503) -> None:
        self.listed.append(Attempt(len(self.listed), guid, self.now, "", status, "push"))

    async def redeliver(self, attempt: Attempt) -> None:
        self.asked.add(attempt.guid)
        self.fail(attempt.guid, 202)

    async def known(self, guids: Collection[str]) -> frozenset[str]:
        return frozenset(self.asked & set(guids))

    async def get(self, name: str) -> datetime | None:
        return self.marks.get(name)

    async def set(self, name: str, at: datetime) -> None:
        self.marks[name] = at

    async def installations(self) -> list[Installation]:
        return [Installation(1, "o")]

    async def repositories(self, _installation: Installation) -> list[Installed]:
        return [Installed(Repository("o", f"r{number}", 1), {}) for number in range(20)]

    async def heads(self, repository: Repository, since: datetime) -> list[Any]:
        self.windows.append((repository.name, since))
        if repository.name in self.broken:
            raise UpstreamError("GitHub answered 502", status=502, retryable=True)
        return []

    def compared(self, name: str) -> int:
        return sum(each == name for each, _ in self.windows)


@pytest.mark.parametrize("fast", [-60, -10, 0, 2, 5, 10, 60, 600])
async def test_a_clock_that_is_off_hides_nothing(fast: int) -> None:
    world = Small(fast * MINUTE)
    sweeper = world.sweeper()
    failed = set()
    await sweeper.sweep()
    for number in range(40):
        world.now += MINUTE
        failed.add(f"g{number}")
        world.fail(f"g{number}")
        if number % 5 == 4:
            await sweeper.sweep()
    for number in range(20):  # then the server is away
        world.now += MINUTE / 2
        failed.add(f"o{number}")
        world.fail(f"o{number}", 502)
    world.now += MINUTE / 3
    again = world.sweeper()
    for _ in range(16 if fast >= 0 else 30):
        await again.sweep()
        world.now += 5 * MINUTE
    assert world.asked == failed
    assert world.windows == []


async def test_a_quiet_app_is_compared_seldom() -> None:
    world = Small()
    world.fail("one", 202)
    world.asked.add("one")
    sweeper = world.sweeper()
    for _ in range(10 * 24):
        await sweeper.sweep()
        world.now += timedelta(hours=1)
    assert world.pages == 10 * 24
    assert world.compared("r0") <= 3


def long_away() -> Small:
    """A server that comes back after five days, in the first of which something happened."""
    world = Small(marks={SWEPT: START - timedelta(days=5), FIRST: START - timedelta(days=30)})
    for number in range(250):
        world.listed.append(
            Attempt(number, f"l{number}", START - (250 - number) * 15 * MINUTE, "", 202, "star")
        )
    return world


async def test_one_repository_that_cannot_be_compared_keeps_nothing_from_going_on() -> None:
    world = long_away()
    world.broken = {"r7"}
    sweeper = world.sweeper()
    with pytest.raises(UpstreamError):
        await sweeper.sweep()
    assert world.marks[SWEPT] == world.listed[-1].delivered_at  # of the list all is settled
    assert world.pages == 3
    world.now += 5 * MINUTE
    world.fail("new")
    tries = 1
    with pytest.raises(UpstreamError):
        await sweeper.sweep()
    world.now += 5 * MINUTE
    while True:
        tries += 1
        try:
            await sweeper.sweep()
        except UpstreamError:
            world.now += 5 * MINUTE
        else:
            break
    assert "new" in world.asked
    assert 10 <= tries <= 20
    assert [world.compared(f"r{number}") for number in (0, 7, 19)] == [1, tries + 1, 1]
    assert world.metrics.uncompared_repositories._value.get() == 1
    world.now += 5 * MINUTE
    await sweeper.sweep()
    assert world.compared("r7") == tries + 1


async def test_what_failed_for_a_while_is_compared_from_the_same_moment() -> None:
    world = long_away()
    since = world.marks[SWEPT]
    world.broken = {"r7"}
    for _ in range(3):  # each a server of its own: what is to be compared outlives it
        with pytest.raises(UpstreamError):
            await world.sweeper().sweep()
        world.now += 5 * MINUTE
    world.broken = set()
    await world.sweeper().sweep()
    assert {at for _, at in world.windows} == {since - 3 * MINUTE}
    assert world.compared("r7") == 4
    assert world.metrics.uncompared_repositories._value.get() == 0


async def test_what_was_done_for_one_absence_is_not_done_for_the_next() -> None:
    world = long_away()
    world.broken = {"r7"}
    sweeper = world.sweeper()
    with pytest.raises(UpstreamError):
        await sweeper.sweep()
    assert world.compared("r0") == 1
    world.now += timedelta(days=10)  # a process that slept
    world.broken = set()
    await sweeper.sweep()
    assert world.compared("r0") == 2
