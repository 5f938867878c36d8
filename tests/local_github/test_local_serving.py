from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from kubeci.local.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def endless(_: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"first\n"
        await asyncio.Event().wait()

    return StreamingResponse(chunks())


APP = Starlette(routes=[Route("/", hello), Route("/endless", endless)])


async def test_serves_without_touching_signals_and_frees_its_port() -> None:
    before = signal.getsignal(signal.SIGINT)
    async with serving(APP) as url, httpx.AsyncClient(trust_env=False, verify=False) as client:
        assert signal.getsignal(signal.SIGINT) is before
        assert (await client.get(url)).text == "hello"
        port = int(url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with serving(APP, port=port):
                pass
    async with serving(APP, port=port) as again:
        assert again == url


async def test_an_open_stream_does_not_hold_the_end(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        async with serving(APP) as url:
            response = await client.send(client.build_request("GET", f"{url}/endless"), stream=True)
            lines = response.aiter_lines()
            assert await anext(lines) == "first"
            started = loop.time()
        assert loop.time() - started < 2
        with pytest.raises(httpx.HTTPError):
            await anext(lines)
        await response.aclose()
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
