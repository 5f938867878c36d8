from __future__ import annotations

import asyncio

import pytest

from kubeci.service.queue import KeyedQueue


@pytest.mark.parametrize("turns", range(6))
async def test_a_queue_ends_though_work_arrives_at_that_moment(turns: int) -> None:
    seen = asyncio.Event()

    async def work(_key: str, _value: int) -> float:
        seen.set()
        return 60.0

    queue = KeyedQueue(work, workers=3)
    task = asyncio.create_task(queue.run())
    queue.put("waits", 1)
    await seen.wait()
    for _ in range(10):
        await asyncio.sleep(0)  # until every worker waits
    queue.put("arrives", 1)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    ended, _ = await asyncio.wait([task], timeout=2)
    assert ended
