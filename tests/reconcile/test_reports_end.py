from __future__ import annotations

import asyncio

import pytest

from kubeci.service.queue import KeyedQueue


@pytest.mark.parametrize("turns", range(6))
async def test_a_queue_ends_though_work_arrives_at_that_moment(turns: int) -> None:
    async def work(_key: str, _value: int) -> None:
        await asyncio.sleep(0)

    queue = KeyedQueue(work, workers=3)
    task = asyncio.create_task(queue.run())
    await asyncio.sleep(0.01)
    queue.put("a", 1)
    for _ in range(turns):
        await asyncio.sleep(0)
    queue.put("b", 1)
    task.cancel()
    ended, _ = await asyncio.wait([task], timeout=2)
    assert ended
