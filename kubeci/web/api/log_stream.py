"""A step's log as an answer, passed on chunk by chunk; it ends when the client goes away."""

from __future__ import annotations

import asyncio

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kubeci.errors import KubeCIError, UpstreamError
from kubeci.service.run_logs import KeptLog, LiveLog, LogRooms, LogWish, NoLog, open_log
from kubeci.web.api.answers import HEADERS, RETRY_SECONDS, Refused, of_error

STREAMS = 50
SEND_SECONDS = 60.0
"""How long a client may take for a chunk."""
LOG_HEADER = "X-Kubeci-Log"
"""Tells where a log comes from: `live`, the pod; `archived`, the whole log that Argo archived; or `kept`, its last lines,
which were kept when the pod ended."""
MEDIA_TYPE = "text/plain; charset=utf-8"

log = structlog.get_logger(__name__)


class LogStreams:
    """Gives out logs, so many at a time."""

    def __init__(self, rooms: LogRooms, *, limit: int = STREAMS) -> None:
        self._rooms = rooms
        self._limit = limit
        self.open = 0
        """Streams that are open now."""

    def answer(self, wish: LogWish) -> LogAnswer:
        """Give the answer for a log; refuses with 503 when too many are open."""
        if self.open >= self._limit:
            wait = {"Retry-After": str(RETRY_SECONDS)}
            raise Refused(503, f"{self._limit} logs are being read already", wait)
        return LogAnswer(self, wish, self._rooms)


class LogAnswer:
    """The answer with one log, an ASGI application."""

    def __init__(self, streams: LogStreams, wish: LogWish, rooms: LogRooms) -> None:
        self._streams = streams
        self._wish = wish
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the log and pass it on."""
        self._streams.open += 1
        try:
            async with open_log(self._wish, self._rooms) as opened:
                if isinstance(opened, LiveLog):
                    await _while_connected(opened, receive, send)
                else:
                    await _written(opened)(scope, receive, send)
        except KubeCIError as error:  # while it was opened: later ones end the stream
            await of_error(error).answer()(scope, receive, send)
        finally:
            self._streams.open -= 1


def _written(opened: KeptLog | NoLog) -> Response:
    if isinstance(opened, KeptLog):
        return Response(opened.text, headers={**HEADERS, LOG_HEADER: "kept"}, media_type=MEDIA_TYPE)
    later = {"Retry-After": str(RETRY_SECONDS)} if opened.later else None
    return Refused(409 if opened.later else 404, opened.reason, later).answer()


async def _while_connected(opened: LiveLog, receive: Receive, send: Send) -> None:
    tasks = {asyncio.create_task(_pump(opened, send)), asyncio.create_task(_gone(receive))}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pump(opened: LiveLog, send: Send) -> None:
    """Pass chunks on, each when the one before it was taken: nothing piles up here."""
    headers = {
        **HEADERS,
        LOG_HEADER: "archived" if opened.archived else "live",
        "Content-Type": MEDIA_TYPE,
        "X-Accel-Buffering": "no",
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    try:
        while (chunk := await opened.next()) is not None:
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except (TimeoutError, UpstreamError) as error:
        # An answer that is not ended makes the server close the connection, so that nobody takes the log for whole.
        log.warning("a log broke off", error=str(error) or "the client takes nothing")
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})
