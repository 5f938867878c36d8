"""The intake before a store that fails, claims that would run out, and work that ends its process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.service.held import held
from kubeci.service.intake import MAX_ATTEMPTS, Intake, Schedule
from kubeci.store.database import database
from kubeci.store.inbox import SqlInbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOON = timedelta(seconds=1)


class Flaky(SqlInbox):
    """An inbox whose first claims fail, as with a database that is away."""

    failures = 2

    async def claim(
        self, now: datetime, until: datetime | None = None, *, new_first: bool = False
    ) -> Delivery | None:
        if self.failures:
            self.failures -= 1
            raise UpstreamError("the database is away", retryable=True)
        return await super().claim(now, until, new_first=new_first)


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Flaky]:
    async with database(f"sqlite:///{tmp_path / 'kubeci.db'}") as opened:
        yield Flaky(opened)


async def done(delivery: Delivery, *, last_attempt: bool = False) -> str:
    return f"{delivery.event} {last_attempt}"


async def state_of(inbox: SqlInbox, delivery_id: str) -> str:
    return next(str(each.state) for each in await inbox.deliveries() if each.id == delivery_id)


async def worked(inbox: SqlInbox, delivery_id: str, wanted: str) -> None:
    """Run the intake until a delivery has this state."""
    schedule = Schedule(lambda: NOW + timedelta(minutes=30), lambda _: 0.01)
    intake = Intake(inbox, done, wakes=asyncio.Event(), schedule=schedule)
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
        assert await inbox.claim(at, at + SOON)
    await worked(inbox, "1", "parked")


async def test_a_claim_is_renewed_while_the_work_goes_on(inbox: Flaky) -> None:
    inbox.failures = 0
    await inbox.add(Delivery("1", "push", b"{}", NOW))
    delivery = await inbox.claim(NOW, NOW + SOON)
    assert delivery
    async with held(delivery, inbox, lambda: NOW, renew_seconds=0.01), asyncio.timeout(10):
        while await inbox.next_due() == NOW + SOON:
            await asyncio.sleep(0.01)
        assert await inbox.claim(NOW + 20 * SOON) is None
    assert await inbox.claim(NOW + timedelta(minutes=5))
