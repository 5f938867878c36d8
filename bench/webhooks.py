"""Signed deliveries over keep-alive connections, with as little work on this side as can be."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from bench.fakes import SECRET

CONNECTIONS = 32


class Connection:
    """A keep-alive connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def opened(cls, port: int) -> AsyncIterator[Self]:
        """Open a connection until the block ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def get(self, path: str) -> int:
        """Get a path; gives the answer's status."""
        return await self.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    async def send(self, request: bytes) -> int:
        """Send a whole request and read the whole answer; gives its status."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length:")
        )
        await self._reader.readexactly(length)
        return int(head.split(b" ", 2)[1])


class Deliveries:
    """Requests that deliver one event, each under an id of its own."""

    def __init__(self, event: str, payload: Any) -> None:
        self._body = msgspec.json.encode(payload)
        signature = hmac.new(SECRET.encode(), self._body, hashlib.sha256).hexdigest()
        self._head = (
            "POST /webhooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"X-GitHub-Event: {event}\r\nX-Hub-Signature-256: sha256={signature}\r\n"
            f"Content-Length: {len(self._body)}\r\n"
        )

    @property
    def size(self) -> int:
        """Give the bytes of the payload."""
        return len(self._body)

    def request(self) -> bytes:
        """Give a new delivery as HTTP."""
        return f"{self._head}X-GitHub-Delivery: {uuid.uuid4()}\r\n\r\n".encode() + self._body


@dataclass(frozen=True, slots=True)
class Answers:
    """How a load was answered: seconds from the time when each request was due, and how many were not 202."""

    seconds: list[float]
    refused: int


async def load(port: int, request: Callable[[], bytes], *, rate: int, count: int) -> Answers:
    """Send `count` requests at `rate` a second, whether or not the earlier ones are answered."""
    # First in, first out: each connection is used again before the server gives it up as idle.
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    seconds, statuses = [], []

    async def one(due: float) -> None:
        connection = await idle.get()
        statuses.append(await connection.send(request()))
        seconds.append(time.perf_counter() - due)
        idle.put_nowait(connection)

    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            idle.put_nowait(await stack.enter_async_context(Connection.opened(port)))
        start = time.perf_counter() + 0.1
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                due = start + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(due))
    return Answers(seconds, sum(status != 202 for status in statuses))
