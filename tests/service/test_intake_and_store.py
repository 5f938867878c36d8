"""The intake before a store that fails, claims that would run out, and work that ends its process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.inbox import ANY, Wanted
from kubeci.service.exclusive import Busy
from kubeci.service.held import ClaimLost, Renewal, held
from kubeci.service.intake import MAX_ATTEMPTS, Intake, Perform, Schedule
from kubeci.store.database import Database, database
from kubeci.store.inbox import SqlInbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOON = timedelta(seconds=1)


class Flaky(SqlInbox):
    """An inbox whose first claims fail, as with a database that is away."""

    failures = 2

    async def claim(
        self, now: datetime, until: datetime | None = None, wanted: Wanted = ANY
    ) -> Delivery | None:
        if self.failures:
            self.failures -= 1
            raise UpstreamError("the database is away", retryable=True)
        return await super().claim(now, until, wanted)


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[Database]:
    async with database(f"sqlite:///{tmp_path / 'kubeci.db'}") as opened:
        yield opened


@pytest.fixture
def inbox(stored: Database) -> Flaky:
    return Flaky(stored)


async def done(delivery: Delivery, *, last_attempt: bool = False) -> str:
    return f"{delivery.event} {last_attempt}"


async def state_of(inbox: SqlInbox, delivery_id: str) -> str:
    return next(str(each.state) for each in await inbox.deliveries() if each.id == delivery_id)


async def worked(inbox: SqlInbox, delivery_id: str, wanted: str, perform: Perform = done) -> None:
    """Run the intake until a delivery has this state."""
    began = at()
    schedule = Schedule(lambda: NOW + timedelta(minutes=30, seconds=at() - began), lambda _: 0.01)
    intake = Intake(inbox, perform, wakes=asyncio.Event(), schedule=schedule)
    running = asyncio.create_task(intake.run(workers=2))
    async with asyncio.timeout(10):
        while await state_of(inbox, delivery_id) != wanted:
            assert not running.done()
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_store_that_fails_is_asked_again(inbox: Flaky) -> None:
    await inbox.add(Delivery("1", "push", b"{}", NOW))
    await worked(inbox, "1", "done")
    assert inbox.failures == 0


async def test_work_that_ends_the_server_again_and_again_is_set_aside(inbox: Flaky) -> None:
    inbox.failures = 0
    await inbox.add(Delivery("1", "push", b"{}", NOW))
    for attempt in range(MAX_ATTEMPTS):  # each of these processes died, and its claim ran out
        at = NOW + attempt * 2 * SOON
        for wanted in (ANY, Wanted(alone=True)):
            claimed = await inbox.claim(at, at + SOON, wanted)
            assert bool(claimed) is (wanted.alone is (attempt >= 2)), "after two of them it is done alone"
        inbox.let_go("1")
    await worked(inbox, "1", "parked")


async def until_of(inbox: SqlInbox) -> datetime:
    [record] = await inbox.deliveries()
    return record.claimed_until


@pytest.fixture
async def claimed(inbox: Flaky) -> Delivery:
    inbox.failures = 0
    await inbox.add(Delivery("1", "push", b"{}", NOW))
    delivery = await inbox.claim(NOW, NOW + SOON)
    assert delivery
    return delivery


FAST = Renewal(lasts=0.5, every=0.05, again=0.05, spare=0.1)


def at() -> float:
    return asyncio.get_running_loop().time()


async def test_a_claim_is_renewed_while_the_work_goes_on(inbox: Flaky, claimed: Delivery) -> None:
    async with held(claimed, inbox, lambda: NOW + 9 * SOON, at(), renewal=FAST), asyncio.timeout(10):
        while await until_of(inbox) < NOW + 9 * SOON:
            await asyncio.sleep(0.01)
    assert await inbox.claim(NOW + 20 * SOON) is None, "its own process does not take it up"
    inbox.let_go("1")
    assert await inbox.claim(NOW + 20 * SOON)


class Away(Flaky):
    """An inbox that does not answer renewals."""

    async def renew(self, *_: object) -> bool:
        raise UpstreamError("the database is away", retryable=True)


@pytest.mark.parametrize("why", ["another's", "away"])
async def test_work_ends_where_its_claim_cannot_be_held(
    stored: Database, inbox: Flaky, claimed: Delivery, why: str
) -> None:
    asked, ended = at(), asyncio.Event()
    holder = Away(stored) if why == "away" else inbox
    if why == "another's":
        assert await SqlInbox(stored, "other").claim(NOW + 2 * SOON, NOW + 60 * SOON)

    async def work() -> None:
        async with held(claimed, holder, lambda: NOW, asked, renewal=FAST), asyncio.timeout(10):
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    with pytest.raises(ClaimLost):
        await work()
    assert ended.is_set()
    assert at() - asked < 5
    assert await state_of(inbox, "1") == "working", "nothing is written of it"


async def test_a_process_that_stood_still_goes_no_step_further(inbox: Flaky, claimed: Delivery) -> None:
    steps: list[str] = []

    async def work() -> None:
        async with held(claimed, inbox, lambda: NOW, at(), renewal=FAST):
            answered = asyncio.Event()
            asyncio.get_running_loop().call_later(0.1, answered.set)
            steps.append("asked")
            await answered.wait()
            steps.append("went on")

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    while not steps:
        await asyncio.sleep(0)
    time.sleep(1)  # noqa: ASYNC251 - the process stands still
    with pytest.raises(ClaimLost):
        await working
    assert steps == ["asked"]


async def test_what_others_are_about_waits_without_an_attempt(inbox: Flaky) -> None:
    inbox.failures = 0
    await inbox.add(Delivery("1", "push", b"{}", NOW))
    tries: list[bool] = []

    async def perform(delivery: Delivery, *, last_attempt: bool = False) -> str:
        tries.append(last_attempt)
        if len(tries) <= 2 * MAX_ATTEMPTS:
            raise Busy("other work is about the same")
        return delivery.id

    await worked(inbox, "1", "done", perform)
    assert not any(tries)


async def test_who_ends_the_process_is_set_aside_and_nobody_who_was_there(stored: Database) -> None:
    now = NOW
    async with asyncio.timeout(20):
        for name in ("poison", "a", "b", "c", "d"):
            await SqlInbox(stored).add(Delivery(name, "push", b"{}", now))
            now += SOON
        for _ in range(MAX_ATTEMPTS + 1):
            now += timedelta(minutes=1)
            await life(SqlInbox(stored, "r"), now)
    records = await SqlInbox(stored).deliveries()
    assert {each.id: str(each.state) for each in records} == {
        "poison": "parked",
        **dict.fromkeys("abcd", "done"),
    }


async def life(inbox: SqlInbox, now: datetime) -> None:
    """Run a process until its work ends it, or nothing is left."""
    died = asyncio.Event()

    async def perform(delivery: Delivery, **_: bool) -> str:
        if delivery.id == "poison":
            died.set()
        if died.is_set():
            await asyncio.Event().wait()  # it is killed
        await asyncio.sleep(0)
        return "built"

    intake = Intake(inbox, perform, wakes=asyncio.Event(), schedule=Schedule(lambda: now, lambda _: 0.01))
    running = asyncio.create_task(intake.run())
    while not died.is_set() and {str(each.state) for each in await inbox.deliveries()} & {
        "waiting",
        "working",
    }:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
