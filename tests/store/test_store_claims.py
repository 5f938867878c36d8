from __future__ import annotations

import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres_server import PostgresServer

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.inbox import DeliveryState
from kubeci.store.database import Database, database
from kubeci.store.inbox import SqlInbox
from kubeci.store.tables import deliveries

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(minutes=2)


async def add(inbox: SqlInbox, *names: str) -> None:
    for name in names:
        await inbox.add(Delivery(name, "push", b"{}", NOW))


async def add_at_once(stored: Database, names: list[str]) -> None:
    row = {
        "event": "push",
        "payload": b"{}",
        "received_at": 0.0,
        "state": "waiting",
        "due": 0.0,
        "reason": "",
    }
    rows = [{"id": name, **row} for name in names]
    await stored.run(lambda connection: connection.execute(deliveries.insert(), rows))


async def work(inbox: SqlInbox, claimed: Counter[str], lost: Counter[str], moment: datetime = NOW) -> None:
    """Claim and do what is due until nothing is; where the database was away, go on."""
    while True:
        try:
            delivery = await inbox.claim(moment, moment + timedelta(minutes=1))
            if delivery is None:
                return
            claimed[delivery.id] += 1
            await inbox.done(delivery.id, "built")
        except UpstreamError:
            lost["answers"] += 1


async def test_four_replicas_claim_each_delivery_once(address: str) -> None:
    names = [f"d{number}" for number in range(400)]
    claimed, lost = Counter[str](), Counter[str]()
    async with AsyncExitStack() as stack:
        replicas = [SqlInbox(await stack.enter_async_context(database(address)), f"r{n}") for n in range(4)]
        await add(replicas[0], *names)
        async with asyncio.TaskGroup() as group:
            for inbox in replicas:
                for _ in range(2):
                    group.create_task(work(inbox, claimed, lost))
        records = await replicas[0].deliveries(limit=1000)
    assert claimed == Counter(names)
    assert not lost
    assert {(each.state, each.attempts) for each in records} == {(DeliveryState.DONE, 1)}
    assert len(records) == 400
    if address.startswith("postgresql:"):
        assert len({each.claimed_by for each in records}) == 4


async def test_what_a_killed_replica_had_claimed_is_taken_up_when_its_claim_runs_out(
    address: str, stored: Database
) -> None:
    inbox = SqlInbox(stored, "ours")
    await add(inbox, "a")
    command = [
        sys.executable,
        str(Path(__file__).with_name("claimer.py")),
        address,
        "theirs",
        NOW.isoformat(),
    ]
    theirs = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert theirs.stdout
    assert await theirs.stdout.readline() == b"a\n"
    theirs.kill()
    await theirs.communicate()
    assert await inbox.claim(NOW, LATER) is None
    assert await inbox.next_due() == SOON
    again = await inbox.claim(SOON, LATER)
    assert again
    assert (again.id, again.attempts) == ("a", 2)


async def test_a_renewed_claim_is_nobody_elses(stored: Database) -> None:
    ours, theirs = SqlInbox(stored, "ours"), SqlInbox(stored, "theirs")
    await add(ours, "a")
    assert await ours.claim(NOW, SOON)
    assert await ours.renew("a", LATER)
    assert await theirs.claim(SOON, LATER) is None
    assert await theirs.claim(LATER, LATER + timedelta(minutes=1))
    assert not await ours.renew("a", LATER), "theirs by now"
    await ours.retry("a", "503", NOW)
    await ours.park("a", "503")
    assert [each.claimed_by for each in await ours.deliveries(state=DeliveryState.WORKING)] == ["theirs"]
    await ours.done("a", "built after all")
    assert not await theirs.renew("a", LATER)
    await theirs.retry("a", "503", NOW)
    [record] = await ours.deliveries()
    assert (record.state, record.reason) == (DeliveryState.DONE, "built after all")


@pytest.mark.parametrize(("counted", "attempts"), [(True, 2), (False, 1)])
async def test_a_replica_gives_back_what_it_holds(stored: Database, counted: bool, attempts: int) -> None:
    ours, theirs = SqlInbox(stored, "ours"), SqlInbox(stored, "theirs")
    await add(ours, "a", "b")
    for inbox in (ours, theirs):
        assert await inbox.claim(NOW, LATER)
    # A file is one server's: who held it before is gone.
    assert await ours.release(counted=counted) == (1 if stored.shared else 2)
    again = await ours.claim(NOW, LATER)
    assert again
    assert again.attempts == attempts


async def test_a_restart_of_postgresql_loses_no_delivery(postgres: PostgresServer) -> None:
    names = [f"d{number}" for number in range(300)]
    claimed, lost = Counter[str](), Counter[str]()
    async with database(postgres.new_database()) as stored:
        inbox = SqlInbox(stored)
        await add_at_once(stored, names)
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(work(inbox, claimed, lost))
            while len(claimed) < 20:
                await asyncio.sleep(0.001)
            await asyncio.to_thread(postgres.stop)
            assert len(claimed) < 300, "it was in the middle"
            await asyncio.to_thread(postgres.start)
        # A claim or an end whose answer was lost is left; its claim runs out.
        await work(inbox, claimed, lost, LATER)
        records = await inbox.deliveries(limit=1000)
    assert {each.state for each in records} == {DeliveryState.DONE}
    assert set(claimed) == set(names)
    assert sum(claimed.values()) <= 300 + lost.total(), "nothing is done again but what the outage left open"
