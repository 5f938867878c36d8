"""When the intake tries again, counts, defers and sets aside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection

from kubeci.errors import Forbidden, RateLimited, Unready, UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.inbox import ANY, DEFERRED, WAITS, Backlog, DeliveryRecord, Wanted
from kubeci.service.intake import MAX_ATTEMPTS, Intake, Schedule
from kubeci.service.patience import LONGEST_DEFERRAL, LONGEST_WAIT
from kubeci.service.queue import backoff_seconds
from kubeci.store.database import Database, database
from kubeci.store.inbox import SqlInbox
from kubeci.store.tables import deliveries

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
GONE = UpstreamError("GitHub answered 502", status=502, retryable=True)
LIMITED = RateLimited("GitHub asked to wait", retry_after=1000.0)


class WatchedInbox(SqlInbox):
    """Tells when the intake has nothing to do, which it is when it asks when there will be something."""

    def __init__(self, stored: Database) -> None:
        super().__init__(stored)
        self.idle = asyncio.Event()

    async def next_due(self, wanted: Wanted = ANY) -> datetime | None:
        due = await super().next_due(wanted)
        self.idle.set()
        return due


@dataclass
class Scene:
    """An inbox with one delivery, whose work fails as it is told; time passes as the inbox wants."""

    inbox: WatchedInbox
    stored: Database
    now: datetime = START
    tries: list[tuple[timedelta, bool]] = field(default_factory=list)
    fails: Callable[[int], Exception | None] = lambda _: None

    async def perform(self, delivery: Delivery, *, last_attempt: bool = False) -> str:
        self.tries.append((self.now - START, last_attempt))
        if error := self.fails(len(self.tries)):
            raise error
        return delivery.id

    async def record(self) -> DeliveryRecord:
        [record] = await self.inbox.deliveries()
        return record

    async def until(self, ready: Callable[[DeliveryRecord], bool]) -> DeliveryRecord:
        """Work, and let time pass up to each next try, until the delivery's record is so."""
        wakes = asyncio.Event()
        intake = Intake(
            self.inbox, self.perform, wakes=wakes, schedule=Schedule(lambda: self.now, backoff_seconds)
        )
        self.inbox.idle.clear()
        running = asyncio.create_task(intake.run(workers=1))
        async with asyncio.timeout(20):
            await self.inbox.idle.wait()
            while not ready(record := await self.record()):
                assert not running.done(), running
                self.inbox.idle.clear()
                if record.state == "waiting" and record.due > self.now:
                    self.now = record.due
                    wakes.set()
                await self.inbox.idle.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return record


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with database(f"sqlite:///{tmp_path / 'kubeci.db'}") as opened:
        inbox = WatchedInbox(opened)
        await inbox.add(Delivery("1", "push", b"{}", START))
        yield Scene(inbox, opened)


def is_done(record: DeliveryRecord) -> bool:
    return record.state in {"done", "parked"}


@pytest.mark.parametrize(
    ("error", "hours", "tries"),
    [
        (GONE, (24, 25), (280, 320)),
        (LIMITED, (24, 27), (80, 110)),
        (Forbidden("not accessible by integration", status=403), (0, 0), (1, 1)),
        (KeyError("x"), (0, 0.1), (8, 8)),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_for_how_long_work_that_fails_is_tried(
    scene: Scene, error: Exception, hours: tuple[float, float], tries: tuple[int, int]
) -> None:
    scene.fails = lambda _: error
    record = await scene.until(is_done)
    assert record.state == "parked"
    assert str(error) in record.reason
    assert hours[0] <= (scene.now - START) / timedelta(hours=1) <= hours[1]
    assert tries[0] <= len(scene.tries) <= tries[1]
    assert await scene.inbox.backlog() == Backlog(parked=1)


async def test_pauses_grow_to_five_minutes_and_who_waits_is_told_from_the_eighth_try_on(scene: Scene) -> None:
    scene.fails = lambda _: GONE
    await scene.until(lambda _: scene.now - START > timedelta(hours=3))
    assert [last for _, last in scene.tries] == [False] * (MAX_ATTEMPTS - 1) + [True] * (
        len(scene.tries) - MAX_ATTEMPTS + 1
    )
    at = [at for at, _ in scene.tries]
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_DEFERRAL
    assert (await scene.record()).reason.startswith(DEFERRED)
    assert await scene.inbox.backlog() == Backlog(deferred=1)


async def test_a_limit_counts_as_no_attempt_and_lasts_as_long_as_github_says(scene: Scene) -> None:
    def fails(tries: int) -> Exception | None:
        return LIMITED if tries <= 20 else GONE if tries == 21 else None

    scene.fails = fails
    assert (await scene.until(is_done)).state == "done"
    assert not any(last for _, last in scene.tries)
    assert scene.tries[20][0] == timedelta(seconds=20 * LIMITED.retry_after)


async def test_deferred_work_heals_and_outlives_a_process_that_ends(scene: Scene) -> None:
    scene.fails = lambda _: GONE
    await scene.until(lambda record: record.reason.startswith(DEFERRED))
    for _ in range(2):  # each of these processes ended in the middle of it
        scene.now += timedelta(hours=1)
        assert await SqlInbox(scene.stored, "another").claim(scene.now, scene.now)
    scene.fails = lambda _: None
    assert (await scene.until(is_done)).state == "done"
    assert scene.tries[-1][1]


async def test_what_waits_for_the_cluster_goes_on_waiting_while_github_fails(scene: Scene) -> None:
    scene.fails = lambda tries: Unready("away") if tries == 1 else GONE if tries < 40 else None
    record = await scene.until(lambda _: len(scene.tries) == 30)
    assert record.reason.startswith(WAITS)
    assert (await scene.until(is_done)).state == "done"
    assert not any(last for _, last in scene.tries)


async def test_what_is_replayed_after_a_day_gets_its_attempts(scene: Scene) -> None:
    scene.now = START + 2 * LONGEST_WAIT
    scene.fails = lambda tries: GONE if tries < MAX_ATTEMPTS else None
    assert (await scene.until(is_done)).state == "done"


@pytest.mark.parametrize(
    ("error", "how"), [(GONE, "replayed"), (LIMITED, "redelivered")], ids=lambda value: type(value).__name__
)
async def test_what_is_wanted_anew_gets_all_its_time_anew(scene: Scene, error: Exception, how: str) -> None:
    assert await scene.inbox.claim(START)
    await scene.inbox.park("1", "no")
    scene.now = wanted_at = START + 3 * LONGEST_WAIT
    if how == "replayed":
        assert await scene.inbox.replay("1", wanted_at)
    else:
        assert await scene.inbox.add(Delivery("1", "push", b"{}", wanted_at))
    scene.fails = lambda _: error
    record = await scene.until(is_done)
    assert record.state == "parked"
    assert record.received_at == START
    assert LONGEST_WAIT <= scene.now - wanted_at <= LONGEST_WAIT + timedelta(hours=3)


def put_off(count: int) -> Callable[[Connection], object]:
    """Give what stores so many deliveries that come due in five minutes."""
    row = {"event": "push", "payload": b"{}", "received_at": START.timestamp(), "state": "waiting"}
    row |= {"due": START.timestamp() + 300, "reason": f"{DEFERRED}UpstreamError: 502"}
    rows = [{"id": f"old {number}", **row} for number in range(count)]
    return lambda connection: connection.execute(deliveries.insert(), rows)


async def begun_until(
    scene: Scene, wanted: str, arrive: Callable[[int], list[str]], workers: int
) -> list[str]:
    """Work until `wanted` is begun; after so many that were begun, those of `arrive` do. Gives what was begun, in order."""
    begun: list[str] = []

    async def perform(delivery: Delivery, *, last_attempt: bool = False) -> str:
        begun.append(delivery.id)
        for name in arrive(len(begun)):
            await scene.inbox.add(Delivery(name, "push", b"{}", scene.now))
        return f"built {last_attempt}"

    intake = Intake(scene.inbox, perform, wakes=asyncio.Event(), schedule=Schedule(lambda: scene.now))
    running = asyncio.create_task(intake.run(workers=workers))
    async with asyncio.timeout(20):
        while wanted not in begun:
            assert not running.done(), running
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return begun


async def test_a_new_delivery_is_begun_in_its_turn_though_hundreds_come_due(scene: Scene) -> None:
    await scene.inbox.done("1", "built")
    await scene.stored.run(put_off(500))
    scene.now += timedelta(hours=1)
    begun = await begun_until(scene, "new", lambda count: ["new"] if count == 20 else [], workers=4)
    assert begun.index("new") <= 20 + 2 * 4, "each worker had one in hand, and takes one more at most"


async def test_what_was_put_off_is_done_though_new_ones_come_all_the_time(scene: Scene) -> None:
    await scene.inbox.done("1", "built")
    await scene.stored.run(put_off(1))
    scene.now += timedelta(hours=1)
    for number in range(10):
        await scene.inbox.add(Delivery(f"new {number}", "push", b"{}", START))
    begun = await begun_until(scene, "old 0", lambda count: [f"{count} a", f"{count} b"], workers=1)
    assert begun.index("old 0") <= 2 * 10 + 1, "every other turn is that of the oldest"
