"""Read a request's body up to a limit, and not for ever: whoever sends it may be a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager

from starlette.requests import ClientDisconnect, Request

BODY_SECONDS = 30.0
"""GitHub and Slack give up after ten and three seconds."""
LARGE_BYTES = 100_000
"""From here on a body needs one of a few places."""


class TooManyBodiesError(Exception):
    """So many large bodies are being read that there is no place for another."""


async def read_body(
    request: Request, limit: int, *, large: Places | None = None, seconds: float = BODY_SECONDS
) -> bytes | None:
    """Read the body; None: it is larger than `limit` bytes.

    Raises `ClientDisconnect`, also where the body does not come within so many seconds, and, with `large`,
    `TooManyBodiesError` for a body that is large while all places are taken.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        return None
    try:
        async with asyncio.timeout(seconds), aclosing(_stream(request)) as stream:
            return await _collected(stream, limit, large)
    except TimeoutError:
        raise ClientDisconnect from None


class Places:
    """Places for large bodies."""

    def __init__(self, places: int) -> None:
        self.free_places = places

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place for the length of the block, or raise `TooManyBodiesError`."""
        if not self.free_places:
            raise TooManyBodiesError
        self.free_places -= 1
        try:
            yield
        finally:
            self.free_places += 1


async def _stream(request: Request) -> AsyncGenerator[bytes, None]:
    async for chunk in request.stream():
        yield chunk


async def _collected(stream: AsyncGenerator[bytes, None], limit: int, large: Places | None) -> bytes | None:
    body = bytearray()
    with ExitStack() as place:
        async for chunk in stream:
            if len(body) + len(chunk) > limit:
                return None
            if large and len(body) <= LARGE_BYTES < len(body) + len(chunk):
                place.enter_context(large.taken())
            body += chunk
        return bytes(body)
