"""Watches: a stream of JSON lines, one for every change, for as long as client and server bear with each other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from kubeci.local.cluster.answers import HEADERS
from kubeci.local.cluster.door import cut
from kubeci.local.cluster.reading import version_number
from kubeci.local.cluster.selectors import Selector
from kubeci.local.cluster.status import Cause, Expired, invalid_options

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

    from kubeci.local.cluster.call import Call
    from kubeci.local.cluster.history import Change

EventType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]

LIFETIME_SECONDS = 1800.0  # the API server's --min-request-timeout, when the client names none
INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


@dataclass(eq=False, slots=True)
class Watch:
    """A running watch, as the cluster's faults see it: it can be cut, or made silent while it stays open."""

    cut: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False


async def watch(call: Call) -> WatchResponse:
    """Answer with a stream of the changes to what the selectors match."""
    call.authorize("watch")
    wanted = call.selector()
    version = version_number(call.query("resourceVersion"))
    _check_match(call)
    return WatchResponse(call, wanted, version)


def _check_match(call: Call) -> None:
    initial, match = call.flag("sendInitialEvents"), call.query("resourceVersionMatch")
    if initial and match != "NotOlderThan":
        why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    elif match and not initial:
        why = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    else:
        return
    raise invalid_options("LIST", [Cause("resourceVersionMatch", why, "FieldValueForbidden")])


class WatchResponse:
    """The ASGI application that streams one watch."""

    def __init__(self, call: Call, wanted: Selector, version: int) -> None:
        self._call = call
        self._wanted = wanted
        self._version = version
        self._lifetime = call.number("timeoutSeconds") or LIFETIME_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send lines until the time is over, the client leaves, or the cluster cuts the stream."""
        headers = [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]
        headers.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})  # the headers go out now
        running = Watch()
        self._call.cluster.watches.add(running)
        try:
            ended = await self._pump(running, receive, send)
        finally:
            self._call.cluster.watches.discard(running)
        if ended == "cut":
            await cut(scope, receive)
        elif ended == "over":
            await send({"type": "http.response.body", "body": b""})

    async def _pump(self, running: Watch, receive: Receive, send: Send) -> Literal["cut", "left", "over"]:
        lines = self._lines()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._lifetime
        gone = asyncio.ensure_future(_disconnected(receive))
        cut_off = asyncio.ensure_future(running.cut.wait())
        line = asyncio.ensure_future(anext(lines, None))
        try:
            while True:
                pending = {gone, cut_off} if running.silent else {gone, cut_off, line}
                left = None if running.silent else deadline - loop.time()
                done, _ = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if running.silent and not done:
                    continue
                if cut_off in done:
                    return "cut"
                if gone in done:
                    return "left"
                if not done or (text := line.result()) is None:
                    return "over"
                if running.silent:
                    continue
                await send({"type": "http.response.body", "body": text, "more_body": True})
                line = asyncio.ensure_future(anext(lines, None))
        finally:
            tasks = (gone, cut_off, line)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await lines.aclose()

    async def _lines(self) -> AsyncGenerator[bytes]:
        """Give the watch's lines: what is there already, when asked for, then changes and bookmarks."""
        call, objects = self._call, self._call.cluster.objects
        since = self._version
        if call.flag("sendInitialEvents") or not since:
            since = max(objects.version, since)
            for found in objects.stored(call.resource, call.namespace, self._wanted):
                yield _line("ADDED", found.body)
        if call.flag("sendInitialEvents"):
            yield self._bookmark(since, initial=True)
        cursor = objects.cursor(call.resource, call.namespace, since)
        interval = call.cluster.bookmark_seconds if call.flag("allowWatchBookmarks") else None
        due = asyncio.get_running_loop().time() + (interval or 0)
        try:
            while True:
                for change in cursor.take():
                    if text := self._event(change):
                        yield text
                try:
                    async with asyncio.timeout_at(due if interval else None):
                        await cursor.wait()
                except TimeoutError:
                    due += interval or 0
                    yield self._bookmark(cursor.position)
        except Expired as error:
            yield _line("ERROR", msgspec.json.encode(error.status()))

    def _event(self, change: Change) -> bytes:
        """Give the line for a change, b"" for none: what leaves the selector is DELETED, what comes in is ADDED."""
        before, now = change.before, change.stored
        was = before is not None and self._wanted.matches(*before.key, before.labels)
        matches = change.type != "DELETED" and self._wanted.matches(*now.key, now.labels)
        if was and not matches:
            return _line("DELETED", _last_seen(change))
        if matches:
            return _line("MODIFIED" if was else "ADDED", now.body)
        return b""

    def _bookmark(self, version: int, *, initial: bool = False) -> bytes:
        metadata: dict[str, object] = {"annotations": INITIAL_EVENTS_END} if initial else {}
        metadata["resourceVersion"] = str(version)
        resource = self._call.resource
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        return _line("BOOKMARK", msgspec.json.encode(obj))


def _last_seen(change: Change) -> bytes:
    """Give the object as a selector last saw it, with the version of the change that took it away."""
    if change.type == "DELETED" or change.before is None:
        return change.stored.body
    obj = change.before.object
    obj["metadata"]["resourceVersion"] = str(change.resource_version)
    return msgspec.json.encode(obj)


def _line(kind: EventType, body: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
