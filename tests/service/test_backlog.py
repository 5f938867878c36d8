"""The figures of what is not done are the same whichever replica is asked, and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubeci.errors import Unready, UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.inbox import Backlog
from kubeci.service.backlog import show_backlog
from kubeci.service.intake import Intake, Schedule
from kubeci.store.database import Database, database
from kubeci.store.inbox import SqlInbox
from kubeci.telemetry import Metrics

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


class Work:
    """Fails as long as there is an error."""

    error: Exception | None

    async def __call__(self, delivery: Delivery, *, last_attempt: bool = False) -> str:
        if self.error:
            raise self.error
        return f"{delivery.event} {last_attempt}"


@asynccontextmanager
async def replica(stored: Database, name: str, work: Work, clock: Clock) -> AsyncIterator[Metrics]:
    """Run what works and what counts."""
    inbox, metrics = SqlInbox(stored, name), Metrics()
    schedule = Schedule(clock, lambda _: 0.01)
    intake = Intake(inbox, work, wakes=asyncio.Event(), schedule=schedule)
    tasks = [
        asyncio.create_task(intake.run(workers=1)),
        asyncio.create_task(show_backlog(inbox, metrics, every_seconds=0.01)),
    ]
    try:
        yield metrics
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def shown(metrics: Metrics) -> Backlog:
    def value(name: str) -> int:
        return int(metrics.registry.get_sample_value(f"kubeci_deliveries_{name}") or 0)

    return Backlog(value("waiting"), value("deferred"), value("parked"))


async def until(ready: Callable[[], bool], clock: Clock) -> None:
    async with asyncio.timeout(10):
        while not ready():
            clock.now += timedelta(seconds=1)
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("error", "backlog"),
    [
        (Unready("the namespace is missing"), Backlog(waiting=2)),
        (UpstreamError("GitHub answered 502", status=502, retryable=True), Backlog(deferred=2)),
        (UpstreamError("GitHub answered 404", status=404), Backlog(parked=2)),
    ],
    ids=["waiting", "deferred", "parked"],
)
async def test_who_tries_and_who_finishes_show_the_same(
    tmp_path: Path, error: Exception, backlog: Backlog
) -> None:
    work, clock = Work(), Clock()
    work.error = error
    async with database(f"sqlite:///{tmp_path / 'kubeci.db'}") as stored:
        inbox = SqlInbox(stored, "operator")
        async with replica(stored, "a", work, clock) as first:
            for name in ("1", "2"):
                await inbox.add(Delivery(name, "push", b"{}", START))
            await until(lambda: shown(first) == backlog, clock)
        async with replica(stored, "b", work, clock) as second, replica(stored, "c", work, clock) as third:
            await until(lambda: shown(second) == shown(third) == backlog, clock)
            work.error = None
            if backlog.parked:
                for name in ("1", "2"):
                    assert await inbox.replay(name, clock.now)
            await until(lambda: shown(second) == shown(third) == Backlog(), clock)
