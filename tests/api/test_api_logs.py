"""Logs come from the pod chunk by chunk, from what was kept afterwards, and end when nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from api_kit import Api, running

from kubeci.local.cluster.logs import LogBuffer

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Watched(LogBuffer):
    """A log that counts who waits for more of it."""

    waiting = 0

    async def wait(self, position: int) -> None:
        self.waiting += 1
        try:
            await super().wait(position)
        finally:
            self.waiting -= 1


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def followed(
    api: Api, path: str, node: str
) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[bytes]]]:
    """Follow a log over a connection of its own."""
    async with (
        httpx.AsyncClient(base_url=api.client.base_url, trust_env=False, verify=False, timeout=20) as client,
        client.stream(
            "GET",
            f"/api/v1{path}/logs",
            params={"node": node, "follow": "true"},
            headers={"Authorization": "Bearer the secret of reader"},
        ) as answer,
    ):
        yield answer, answer.aiter_bytes()


async def test_a_followed_log_comes_as_it_is_written(shared: Api) -> None:
    log = LogBuffer()
    path, node = await running(shared, log=log)
    log.append(b"one\n")
    async with followed(shared, path, node) as (answer, chunks):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-kubeci-log"] == "live"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert await anext(chunks) == b"one\n"
        log.append("zwei: ü\n".encode())
        assert await anext(chunks) == "zwei: ü\n".encode()
        log.close()
        assert [chunk async for chunk in chunks] == []
    whole = await shared("GET", f"{path}/logs", params={"node": node, "container": "main"})
    assert whole.text == "one\nzwei: ü\n"


async def test_a_log_that_says_nothing_is_open_all_the_same(shared: Api) -> None:
    log = LogBuffer()
    path, node = await running(shared, log=log)
    async with followed(shared, path, node) as (answer, chunks):
        assert answer.status_code == 200
        log.append(b"at last\n")
        assert await anext(chunks) == b"at last\n"
    unfollowed = await shared("GET", f"{path}/logs", params={"node": node})
    assert unfollowed.text == "at last\n"


async def test_readers_are_counted_and_let_go(shared: Api) -> None:
    log = Watched()
    path, node = await running(shared, log=log)
    log.append(b"one\n")
    async with AsyncExitStack() as readers:
        opened = []  # what nobody holds is closed
        for _ in range(50):
            opened.append(await readers.enter_async_context(followed(shared, path, node)))
            assert await anext(opened[-1][1]) == b"one\n"
        await until(lambda: log.waiting == 50)
        refused = await shared("GET", f"{path}/logs", params={"node": node})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json() == {"message": "50 logs are being read already"}
    # Nothing is written any more: only that they went away can end the streams.
    await until(lambda: log.waiting == 0)
    async with asyncio.timeout(10):
        while (again := await shared("GET", f"{path}/logs", params={"node": node})).status_code == 503:
            await asyncio.sleep(0.02)
    assert again.text == "one\n"


NO_LOGS = [
    # query, status, words of the message or the field
    ({"node": "another"}, 404, "no log of such a node"),
    ({"node": "another", "container": "wait"}, 404, "no log of such a node"),
    ({"container": "wait"}, 404, "it has: main"),
    ({"container": "x" * 64}, 422, "container"),
    ({"follow": "perhaps"}, 422, "follow"),
    ({"node": ""}, 422, "node"),
    ({}, 409, "has not started"),
    ({"follow": "true"}, 409, "has not started"),
]


async def test_what_has_no_log_says_why(shared: Api) -> None:
    waiting = {"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}
    path, node = await running(shared, log=None, phase="Pending", containerStatuses=[waiting])
    steps_node = (NO_LOGS[0][0] | {"node": node.removesuffix("-1")}, 404, "of type Steps")
    for query, status, words in (*NO_LOGS, steps_node):
        answer = await shared("GET", f"{path}/logs", params={"node": node} | query)
        said = answer.json()
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), query
        assert words in said["message"] + said.get("field", ""), query
        assert ("retry-after" in answer.headers) is (status == 409), query
