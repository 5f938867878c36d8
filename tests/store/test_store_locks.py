from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from sqlalchemy import select

from kubeci.errors import UpstreamError
from kubeci.service.exclusive import Exclusive, Holding
from kubeci.store.database import Database, database
from kubeci.store.locks import SqlLocks
from kubeci.store.tables import locks as table

QUICK = Holding(lock=1.0, renew=0.1, wait=10.0, first_pause=0.005, longest_pause=0.02)
LASTING = replace(QUICK, lock=20.0, wait=30.0)


async def test_a_lock_is_one_holders_until_it_is_freed_or_runs_out(stored: Database) -> None:
    ours, theirs = SqlLocks(stored, "a"), SqlLocks(stored, "b")
    assert await ours.take("x", 60.0)
    assert await ours.take("x", 60.0), "it is ours already"
    assert not await theirs.take("x", 60.0)
    assert await theirs.take("y", 60.0), "another name"
    await theirs.free("x")
    assert not await theirs.take("x", 60.0), "it was not theirs to free"
    await ours.free("x")
    assert await theirs.take("x", 0.0)
    assert await ours.take("x", 60.0), "it ran out"


async def test_what_dead_holders_left_is_deleted_and_nothing_else(stored: Database) -> None:
    locks = SqlLocks(stored, "a")
    assert await locks.take("left", 0.0)
    assert await locks.take("held", 60.0)
    await locks.forget()
    names = await stored.run(lambda connection: connection.execute(select(table.c.name)).scalars().all())
    assert names == ["held"]


@pytest.mark.parametrize("replicas", [1, 4])
async def test_what_is_exclusive_happens_once_at_a_time(address: str, replicas: int) -> None:
    inside: set[str] = set()
    most, done = 0, 0

    async def work(exclusive: Exclusive, name: str) -> None:
        nonlocal most, done
        async with exclusive.hold(name):
            assert name not in inside
            inside.add(name)
            most = max(most, len(inside))
            await asyncio.sleep(0.002)
            inside.remove(name)
            done += 1

    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(database(address)) for _ in range(replicas)]
        each = [Exclusive(SqlLocks(store, f"r{n}"), LASTING) for n, store in enumerate(stores)]
        await asyncio.gather(*(work(each[n % replicas], f"commit {n % 5}") for n in range(60)))
    assert done == 60
    assert most > 1, "different names wait for nobody"


async def test_a_lock_that_is_held_for_longer_than_it_lasts_is_renewed(stored: Database) -> None:
    ours, theirs = Exclusive(SqlLocks(stored, "a"), QUICK), SqlLocks(stored, "b")
    async with ours.hold("x"):
        for _ in range(4):
            await asyncio.sleep(QUICK.lock / 2)
            assert not await theirs.take("x", 60.0)
    assert await theirs.take("x", 60.0)


class SlowLocks(SqlLocks):
    """Locks of a store that takes its time, and does what it was asked for also where nobody waits any more."""

    def __init__(self, database: Database, holder: str) -> None:
        super().__init__(database, holder)
        self.asked: list[asyncio.Task[bool]] = []

    async def take(self, name: str, seconds: float) -> bool:
        self.asked.append(asyncio.create_task(self._later(name, seconds)))
        return await asyncio.shield(self.asked[-1])

    async def _later(self, name: str, seconds: float) -> bool:
        await asyncio.sleep(QUICK.renew / 2)
        return await super().take(name, seconds)


async def test_a_lock_that_is_freed_while_it_is_renewed_stays_free(stored: Database) -> None:
    slow = SlowLocks(stored, "a")
    async with Exclusive(slow, QUICK).hold("x"):
        while len(slow.asked) < 2:
            await asyncio.sleep(0.001)
    await asyncio.gather(*slow.asked)
    assert await SqlLocks(stored, "b").take("x", 60.0)


async def test_work_is_put_off_where_another_replica_is_about_it(stored: Database) -> None:
    impatient = Holding(wait=0.05, first_pause=0.01)
    assert await SqlLocks(stored, "a").take("x", 60.0)
    ours = Exclusive(SqlLocks(stored, "b"), impatient)
    with pytest.raises(UpstreamError) as caught:
        async with ours.hold("x"):
            pytest.fail("it is another's")
    assert caught.value.retryable
    async with ours.hold_if_free("x") as free:
        assert not free
    async with ours.hold_if_free("y") as free:
        assert free


async def test_what_a_dead_replica_held_is_waited_for(stored: Database) -> None:
    assert await SqlLocks(stored, "dead").take("x", 0.2)
    async with Exclusive(SqlLocks(stored, "b"), QUICK).hold("x"):
        pass


class FailingLocks(SqlLocks):
    """Locks of a store that goes away after the first."""

    taken = 0

    async def take(self, name: str, seconds: float) -> bool:
        self.taken += 1
        if self.taken > 1:
            raise UpstreamError("the store is away", retryable=True)
        return await super().take(name, seconds)


class LostLocks(SqlLocks):
    """Locks that go to another after the first."""

    taken = 0

    async def take(self, name: str, seconds: float) -> bool:
        self.taken += 1
        return self.taken == 1 and await super().take(name, seconds)


@pytest.mark.parametrize("kind", [FailingLocks, LostLocks])
async def test_work_ends_when_its_lock_may_be_anothers(stored: Database, kind: type[SqlLocks]) -> None:
    ended = asyncio.Event()

    async def work() -> None:
        async with Exclusive(kind(stored, "a"), QUICK).hold("x"):
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()

    with pytest.raises(UpstreamError) as caught:
        await work()
    assert caught.value.retryable
    assert ended.is_set()


async def test_a_time_out_of_the_work_itself_stays_one(stored: Database) -> None:
    with pytest.raises(TimeoutError):
        async with Exclusive(SqlLocks(stored, "a"), QUICK).hold("x"):
            raise TimeoutError
    assert await SqlLocks(stored, "b").take("x", 1.0), "it was freed"


async def test_without_a_shared_store_workers_of_one_process_wait_for_each_other() -> None:
    exclusive, order = Exclusive(), list[str]()

    async def work(name: str) -> None:
        async with exclusive.hold("x"):
            order.append(f"{name} begins")
            async with exclusive.hold_if_free("x") as free:
                assert not free
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(work("a"), work("b"))
    assert order == ["a begins", "a ends", "b begins", "b ends"]
    assert not len(exclusive._here)
