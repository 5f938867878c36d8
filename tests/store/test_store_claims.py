from __future__ import annotations

import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from postgres_server import PostgresServer
from sqlalchemy import Connection, Update, select, update

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.inbox import ANY, DeliveryState, Wanted
from kubeci.store import claims
from kubeci.store.database import Database, database
from kubeci.store.inbox import SqlInbox
from kubeci.store.now import database_now
from kubeci.store.tables import deliveries

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
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
    names = [f"d{number}" for number in range(160)]
    claimed, lost = Counter[str](), Counter[str]()
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(database(address)) for _ in range(4)]
        replicas = [SqlInbox(stored, f"r{n}") for n, stored in enumerate(stores)]
        await add_at_once(stores[0], names)
        async with asyncio.TaskGroup() as group:
            for inbox in replicas:
                for _ in range(2):
                    group.create_task(work(inbox, claimed, lost))
        records = await replicas[0].deliveries(limit=1000)
    assert claimed == Counter(names)
    assert not lost
    assert {(each.state, each.attempts) for each in records} == {(DeliveryState.DONE, 1)}
    assert len(records) == len(names)
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
    [record] = await inbox.deliveries()
    again = await claimed_in_time(inbox)
    assert again
    assert (again.id, again.attempts, again.lost) == ("a", 2, 1)
    if stored.shared:
        assert await stored.run(time_of) >= record.claimed_until.timestamp()
    else:
        assert await SqlInbox(stored, "third").claim(SOON - SECOND, LATER) is None


async def claimed_in_time(inbox: SqlInbox) -> Delivery | None:
    """Claim what another claimed for a second: PostgreSQL has a clock of its own, the file goes by ours."""
    moment = NOW
    async with asyncio.timeout(10):
        while not (claimed := await inbox.claim(moment, moment + timedelta(minutes=1))):
            moment += SECOND / 20
            await asyncio.sleep(0.05)
    return claimed


def time_of(connection: Connection) -> float:
    return float(connection.execute(select(database_now(connection.dialect.name))).scalar_one())


async def test_a_claim_under_way_keeps_others_from_nothing_but_what_it_takes(
    postgres: PostgresServer,
) -> None:
    taken, over = asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def slowly(connection: Connection) -> str:
        of_claim = {"this_claim": "x", "this_replica": "slow", "for_seconds": 60.0}
        row = connection.execute(
            claims.claim(ANY, "postgresql"), claims.parameters(NOW, ANY, ()) | of_claim
        ).one()
        loop.call_soon_threadsafe(taken.set)
        assert over.wait(20)
        return str(row.id)

    async with database(postgres.new_database()) as stored:
        inbox = SqlInbox(stored, "quick")
        await add(inbox, "tried", "new")
        assert await inbox.claim(NOW)
        await inbox.retry("tried", "503", NOW)
        inbox.let_go("tried")
        slow = asyncio.create_task(stored.run(slowly))
        await asyncio.wait_for(taken.wait(), 20)
        claimed = [await inbox.claim(NOW), await inbox.claim(NOW)]
        over.set()
        assert [each and each.id for each in claimed] == ["new", None]
        assert await slow == "tried"


@pytest.mark.parametrize("skew", [timedelta(hours=-1), timedelta(hours=1)], ids=str)
async def test_clocks_of_replicas_do_not_end_claims(postgres: PostgresServer, skew: timedelta) -> None:
    async with database(postgres.new_database()) as stored:
        ours, theirs = SqlInbox(stored, "ours"), SqlInbox(stored, "theirs")
        await add(ours, "a")
        assert await ours.claim(NOW, NOW + 30 * SECOND)
        assert await theirs.claim(NOW + skew, NOW + skew + 30 * SECOND) is None
        assert await ours.renew("a", NOW, NOW + SECOND)
        assert await claimed_in_time(SqlInbox(stored, "third"))
        assert not await ours.renew("a", NOW, NOW + SECOND)


async def test_a_process_does_not_claim_what_it_works_on(stored: Database) -> None:
    inbox, other = SqlInbox(stored, "ours"), SqlInbox(stored, "ours")
    await add(inbox, "a")
    assert await inbox.claim(NOW, NOW)
    assert await inbox.claim(LATER, LATER) is None, "its clock leapt"
    assert await other.claim(LATER, LATER), "another process of the same name"
    assert not await inbox.renew("a", LATER, LATER + SECOND)
    inbox.let_go("a")
    await inbox.retry("a", "the first one's", LATER)
    await inbox.park("a", "the first one's")
    [record] = await inbox.deliveries()
    assert (record.state, record.reason, record.claimed_by) == (DeliveryState.WORKING, "", "ours")
    assert await inbox.claim(LATER, LATER, Wanted(alone=True))


async def test_what_ended_its_process_twice_is_claimed_alone_until_it_ends_in_order(stored: Database) -> None:
    await add(SqlInbox(stored), "a", "b")
    for life in range(4):
        inbox = SqlInbox(stored, "same")
        await inbox.release()
        assert await inbox.suspects(NOW) is (life >= 2)
        claimed = [await inbox.claim(NOW, LATER, Wanted(alone=life >= 2)) for _ in range(2)]
        assert [(each.id, each.lost) if each else "" for each in claimed] == [("a", life), ("b", life)]
    for name in ("a", "b"):
        await inbox.retry(name, "503", NOW)
        inbox.let_go(name)
    again = await inbox.claim(NOW, LATER)
    assert again
    assert (again.lost, await inbox.suspects(NOW)) == (0, False)


async def test_what_was_put_off_takes_turns_by_repository(stored: Database) -> None:
    inbox = SqlInbox(stored, "ours")
    for number, name in enumerate(("x/slow", "x/slow", "x/slow", "y/other", "z/third")):
        row = Delivery(
            str(number), "push", b"{}", NOW + number * SECOND, repository=name, sha=f"{number % 2}"
        )
        await inbox.add(row)
        assert await inbox.claim(LATER, None, Wanted(tried=False))
        await inbox.retry(row.id, "deferred: 502", LATER + number * SECOND)
        inbox.let_go(row.id)
    await inbox.add(Delivery("new", "push", b"{}", LATER))

    async def next_of(wanted: Wanted) -> str:
        claimed = await inbox.claim(LATER + timedelta(minutes=1), None, wanted)
        if not claimed:
            return ""
        await inbox.retry(claimed.id, claimed.reason, LATER, counted=False)
        inbox.let_go(claimed.id)
        await inbox._database.run(lambda connection: connection.execute(_due_of(claimed.id)))
        return claimed.id

    assert await next_of(Wanted()) == "0"
    assert await next_of(Wanted(latest=("x/slow",))) == "3"
    assert await next_of(Wanted(latest=("x/slow", "y/other"))) == "4"
    assert await next_of(Wanted(latest=("y/other", "z/third", "x/slow"))) == "3"
    assert await next_of(Wanted(new_first=True)) == await next_of(Wanted(tried=False)) == "new"
    assert await next_of(Wanted(commits=frozenset({"0"}))) == "1"
    assert await next_of(Wanted(tried=False, commits=frozenset({""}))) == ""
    assert await inbox.next_due(Wanted(tried=False)) == LATER
    assert await inbox.next_due(Wanted(commits=frozenset({"", "0"}))) == LATER + SECOND


def _due_of(name: str) -> Update:
    due = LATER if name == "new" else LATER + int(name) * SECOND
    return update(deliveries).where(deliveries.c.id == name).values(due=due.timestamp())


async def test_a_renewed_claim_is_nobody_elses(stored: Database) -> None:
    ours, theirs = SqlInbox(stored, "ours"), SqlInbox(stored, "theirs")
    await add(ours, "a")
    assert await ours.claim(NOW, SOON)
    assert await ours.renew("a", NOW, LATER)
    assert await theirs.claim(SOON, LATER) is None
    assert await ours.renew("a", NOW, NOW)
    assert await theirs.claim(SOON, LATER)
    assert not await ours.renew("a", NOW, LATER), "theirs by now"
    await ours.retry("a", "503", NOW)
    await ours.park("a", "503")
    await ours.done("a", "built")
    assert [each.claimed_by for each in await ours.deliveries(state=DeliveryState.WORKING)] == ["theirs"]
    await theirs.retry("a", "503", NOW)
    await ours.done("a", "built after all")
    assert not await theirs.renew("a", NOW, LATER)
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
        # A claim or an end whose answer was lost is left; its claim runs out, or is given back.
        await inbox.release()
        await work(inbox, claimed, lost, LATER)
        records = await inbox.deliveries(limit=1000)
    assert {each.state for each in records} == {DeliveryState.DONE}
    assert set(claimed) == set(names)
    assert sum(claimed.values()) <= 300 + lost.total(), "nothing is done again but what the outage left open"
