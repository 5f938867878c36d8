"""Clients that send slowly, too much at a time, or nothing: they are cut off, and others are served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message

from kubeci.cli.connections import PatientProtocol
from kubeci.web.body import read_body

SECONDS = 0.4
HEAD = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


class HastyProtocol(PatientProtocol):
    waiting_seconds: ClassVar[float] = SECONDS


async def read(request: Request) -> PlainTextResponse:
    try:
        return PlainTextResponse(f"{await read_body(request, 100, seconds=SECONDS)!r}")
    except ClientDisconnect:
        return PlainTextResponse("slow", 499)


async def late(_request: Request) -> PlainTextResponse:
    await asyncio.sleep(3 * SECONDS)
    return PlainTextResponse("late")


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/read", read, methods=["POST"]), Route("/late", late)])
    config = uvicorn.Config(
        app,
        port=0,
        http=HastyProtocol,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    ticking = asyncio.create_task(server.main_loop())
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await ticking
        await server.shutdown()


async def dribble(port: int, first: bytes, byte: bytes) -> tuple[bytes, float]:
    """Send a beginning and then a byte now and then, until the server ends it; give its answer and the seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.monotonic()
    answer = asyncio.create_task(reader.read())
    writer.write(first)
    while not answer.done() and time.monotonic() - started < 20 * SECONDS:
        try:
            writer.write(byte)
            await writer.drain()
        except ConnectionError:
            break
        await asyncio.wait({answer}, timeout=SECONDS / 4)
    try:
        return await asyncio.wait_for(answer, 5), time.monotonic() - started
    except ConnectionError:
        return b"", time.monotonic() - started
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("first", "byte", "status"),
    [
        (b"", b"", b""),
        (b"", b"G", b""),
        (b"GET / HTTP/1.1\r\n", b"X", b""),
        (b"GET / HTTP/1.1\r\nX: ", b"y", b""),
        (HEAD, b"", b" 499 "),
        (HEAD, b"x", b" 499 "),
        (HEAD + b"0123456789", b"G", b" 200 "),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n", b"x", b" 404 "),
    ],
)
async def test_a_slow_client_is_cut_off(first: bytes, byte: bytes, status: bytes) -> None:
    async with listening() as port:
        answer, seconds = await dribble(port, first, byte)
    assert status in answer
    assert seconds < 10 * SECONDS


async def test_an_answer_may_take_its_time(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"late")
        writer.close()
    assert caplog.records == []


def request_of(chunks: list[bytes], going: asyncio.Event | None = None) -> Request:
    left = list(chunks)

    async def receive() -> Message:
        if not left and going:
            await going.wait()
        body = left.pop(0) if left else b""
        return {"type": "http.request", "body": body, "more_body": bool(left) or bool(going and body)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_a_body_that_does_not_end_is_given_up() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(request_of([b"x"], asyncio.Event()), 100, seconds=0.05)
