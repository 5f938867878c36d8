"""Read a request's body up to a limit, and not for ever: whoever sends it may be a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from kubeci.web.room import Held, NoRoomError, Room

BODY_SECONDS = 30.0
"""GitHub and Slack give up after ten and three seconds."""
PATIENCE_SECONDS = 5.0
LEAST_BYTES_PER_SECOND = 20_000
"""A body that takes room comes at this rate at least, after some seconds' patience; GitHub's largest comes at 2.5 MB/s."""


async def read_body(
    request: Request, limit: int, *, room: Room | None = None, seconds: float = BODY_SECONDS
) -> bytes | None:
    """Read the body; None: it is larger than `limit` bytes.

    Raises `ClientDisconnect`, also where the body does not come within so many seconds, and, with `room`,
    `NoRoomError` where others needed its room. With `room` it has to come at a rate, too.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        return None
    pace = _Pace(asyncio.get_running_loop().time(), seconds)
    try:
        async with pace.clock, aclosing(_stream(request)) as stream:
            if room is None:
                return await _collected(stream, limit)
            with room.entered(pace.end) as held:
                return await _collected(stream, limit, _Taking(room, held, pace))
    except TimeoutError:
        if pace.ended:
            raise NoRoomError from None
        raise ClientDisconnect from None


class _Pace:
    """The time that a body has, and the one that it has for the bytes that came."""

    def __init__(self, began: float, seconds: float) -> None:
        self.clock = asyncio.timeout_at(began + seconds)
        self.ended = False
        self._began = began
        self._seconds = seconds

    def end(self) -> None:
        """Let the reading stop now."""
        self.ended = True
        self._until(asyncio.get_running_loop().time())

    def came(self, count: int) -> None:
        """Let a body of so many bytes go on for as long as they are worth."""
        self._until(self._began + min(self._seconds, PATIENCE_SECONDS + count / LEAST_BYTES_PER_SECOND))

    def _until(self, when: float) -> None:
        if not self.clock.expired():
            self.clock.reschedule(when)


@dataclass(frozen=True, slots=True)
class _Taking:
    """A body's place in the room, and its pace."""

    room: Room
    held: Held
    pace: _Pace

    def __post_init__(self) -> None:
        self.pace.came(0)

    def came(self, count: int, whole: int) -> None:
        """Note that `count` bytes came, which makes so many in all."""
        self.room.grow(self.held, count)
        self.pace.came(whole)


async def _stream(request: Request) -> AsyncGenerator[bytes, None]:
    async for chunk in request.stream():
        yield chunk


async def _collected(
    stream: AsyncGenerator[bytes, None], limit: int, taking: _Taking | None = None
) -> bytes | None:
    body = bytearray()
    async for chunk in stream:
        if len(body) + len(chunk) > limit:
            return None
        if taking:
            taking.came(len(chunk), len(body) + len(chunk))
        body += chunk
    return bytes(body)
