from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubeci.service.queue import KeyedQueue, backoff_seconds


@asynccontextmanager
async def working(queue: KeyedQueue[str, int]) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_empty(queue: KeyedQueue[str, int]) -> None:
    async with asyncio.timeout(5):
        while len(queue):
            await asyncio.sleep(0)


async def test_the_newest_value_wins_and_what_is_dealt_with_is_forgotten() -> None:
    seen: list[tuple[str, int]] = []

    async def work(key: str, value: int) -> None:
        seen.append((key, value))

    queue = KeyedQueue(work)
    for value in (1, 2, 3):
        queue.put("a", value)
    queue.put("b", 9)
    async with working(queue):
        await until_empty(queue)
    assert sorted(seen) == [("a", 3), ("b", 9)]


async def test_a_key_is_worked_on_by_one_worker_at_a_time_and_again_when_it_changed_meanwhile() -> None:
    gate = asyncio.Event()
    started = asyncio.Event()
    running = 0
    seen: list[int] = []

    async def work(_key: str, value: int) -> None:
        nonlocal running
        running += 1
        assert running == 1
        started.set()
        await gate.wait()
        running -= 1
        seen.append(value)

    queue = KeyedQueue(work, workers=3)
    queue.put("a", 1)
    async with working(queue):
        await started.wait()
        queue.put("a", 2)
        queue.put("a", 3)
        gate.set()
        await until_empty(queue)
    assert seen == [1, 3]


async def test_a_failure_is_tried_again_and_other_keys_do_not_wait() -> None:
    attempts: list[int] = []
    other = asyncio.Event()

    async def work(key: str, value: int) -> None:
        if key == "other":
            other.set()
            return
        attempts.append(value)
        if len(attempts) < 3:
            raise ConnectionError("not yet")

    queue = KeyedQueue(work, workers=1, backoff=lambda _failures: 0.01)
    queue.put("a", 1)
    queue.put("other", 1)
    async with working(queue):
        await asyncio.wait_for(other.wait(), 5)
        await until_empty(queue)
    assert attempts == [1, 1, 1]


async def test_a_value_that_wants_to_be_seen_again_is_and_a_newer_one_goes_first() -> None:
    seen: list[int] = []
    waiting = asyncio.Event()

    async def work(_key: str, value: int) -> float | None:
        seen.append(value)
        waiting.set()
        return 3600.0 if value == 1 else None

    queue = KeyedQueue(work)
    queue.put("a", 1)
    async with working(queue):
        await waiting.wait()
        assert len(queue) == 1
        queue.put("a", 2)
        await until_empty(queue)
    assert seen == [1, 2]


def test_backoff_doubles_up_to_five_minutes() -> None:
    assert [backoff_seconds(n) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert backoff_seconds(1000) == 300
