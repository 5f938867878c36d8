"""The objects of a collection, for ever: one list, then each change, then another list whenever changes were missed.

The rules are those of kubernetes.io/docs/reference/using-api/api-concepts (efficient detection of changes).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import msgspec

from kubeci.cluster.client import Client, Request
from kubeci.cluster.errors import of_answer
from kubeci.cluster.lines import LineTooLongError, lines
from kubeci.errors import NotFound, RateLimited, UpstreamError
from kubeci.model.json import JsonObject
from kubeci.model.watch import Change, Changed, Gone, Listed

MAX_RESUMES = 3  # failed watches after which a new list is more likely to help than the same watch again
SHORT_SECONDS = 1.0  # a watch that ends so soon and brings nothing has failed


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait for what, in seconds; `page` is the number of objects in one answer of a list."""

    watch: float = 300.0
    """The server ends a watch after this time to twice this time, so that watches do not end together."""
    silence: float = 90.0
    """A watch without a byte for so long is dead; bookmarks come about once a minute."""
    backoff: float = 0.5
    backoff_cap: float = 30.0
    page: int = 500


@dataclass(frozen=True, slots=True)
class Collection:
    """What is listed and watched: a route with its parameters, and a label selector."""

    route: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    label_selector: str = ""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told how it goes."""

    lost: Callable[[UpstreamError, float], None] = lambda _error, _seconds: None
    """Told of each failure and of the seconds until the next try."""
    stands: Callable[[], None] = lambda: None
    """Told of each watch that works: it brought something, or stood for a second."""


async def list_watch(
    client: Client,
    collection: Collection,
    *,
    random: Callable[[], float],
    timing: Timing | None = None,
    told: Listeners | None = None,
) -> AsyncGenerator[Change, None]:
    """Follow a collection until the caller closes the iterator (`contextlib.aclosing`) or is cancelled.

    `random` gives numbers from 0 to 1. The first change is a `Listed`; others follow when the server has forgotten
    the version we stand at (410), and after repeated failures. A change may come twice and in between may be missing,
    but the newest state always comes. No failure ends it: each is told and tried again, with pauses that double
    up to a limit, until a watch works. While there is no right to watch, the lists between the failures bring what changes.
    """
    told = told or Listeners()
    watcher = _ListWatch(client, collection, random, timing or Timing(), told.stands)
    while True:
        try:
            async with aclosing(watcher.step()) as changes:
                async for change in changes:
                    yield change
        except UpstreamError as error:
            pause = watcher.failed(error)
            told.lost(error, pause)
            await asyncio.sleep(pause)


class _ListWatch:
    """Where a list-watch stands: the version to go on from (empty: list first), and the failures in a row."""

    def __init__(
        self,
        client: Client,
        collection: Collection,
        random: Callable[[], float],
        timing: Timing,
        stands: Callable[[], None],
    ) -> None:
        self._client = client
        self._collection = collection
        self._random = random
        self._timing = timing
        self._stands = stands
        self._version = ""
        self._failures = 0
        self._gone = False

    async def step(self) -> AsyncGenerator[Change, None]:
        """List when that is due, then watch until the server ends it."""
        if not self._version:
            listed = await self._list()
            yield listed
        started = asyncio.get_running_loop().time()
        version = self._version
        async with aclosing(self._watch()) as changes:
            async for change in changes:
                yield change
        if self._version == version and asyncio.get_running_loop().time() - started < SHORT_SECONDS:
            raise UpstreamError("the cluster ended a watch at once", status=200, retryable=True)
        self._failures, self._gone = 0, False

    def failed(self, error: UpstreamError) -> float:
        """Take note of a failure and give the pause before the next step."""
        gone = isinstance(error, NotFound) and error.status == 410
        if gone or self._failures >= MAX_RESUMES:
            self._version = ""
        self._failures += 1
        if gone and not self._gone:
            # A cluster that says so is there again; only one that says so again and again must not be asked at once.
            self._gone = True
            return 0.0
        timing = self._timing
        pause = min(timing.backoff_cap, timing.backoff * 2.0 ** min(self._failures - 1, 30))
        pause *= 0.5 + self._random() / 2
        return max(pause, error.retry_after) if isinstance(error, RateLimited) else pause

    async def _list(self) -> Listed:
        """Read all pages at one version; a 410 in the middle means that the list must begin anew."""
        objects: list[JsonObject] = []
        token = ""
        while True:
            query = {"limit": str(self._timing.page)} | ({"continue": token} if token else {})
            answer = await self._client.send(self._request(query, read_seconds=self._timing.silence))
            objects.extend(answer.get("items") or ())
            metadata = answer.get("metadata") or {}
            token = metadata.get("continue") or ""
            if not token:
                self._version = metadata.get("resourceVersion") or ""
                return Listed(tuple(objects))

    async def _watch(self) -> AsyncGenerator[Change, None]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(max(1, round(self._timing.watch * (1 + self._random())))),
        }
        request = self._request(query, read_seconds=self._timing.silence)
        async with self._client.stream(request) as response:
            standing = asyncio.get_running_loop().call_later(SHORT_SECONDS, self._stands)
            try:
                async for line in lines(response.content.iter_any()):
                    change = self._read(line)
                    self._failures, self._gone = 0, False
                    if not standing.cancelled():
                        standing.cancel()
                        self._stands()
                    if change:
                        yield change
            except (LineTooLongError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise UpstreamError(
                    f"the cluster's watch is malformed: {error}", status=200, retryable=True
                ) from error
            finally:
                standing.cancel()

    def _read(self, line: bytes) -> Change | None:
        """Read one event and step to its version; bookmarks only step."""
        event = msgspec.json.decode(line, type=_Event)
        if event.type == "ERROR":
            code = event.object.get("code")
            status = code if isinstance(code, int) else 500
            raise of_answer(
                status, {}, msgspec.json.encode(event.object), call=f"WATCH {self._collection.route}"
            )
        version = (event.object.get("metadata") or {}).get("resourceVersion")
        if version:
            self._version = version
        if event.type in {"ADDED", "MODIFIED"}:
            return Changed(event.object)
        return Gone(event.object) if event.type == "DELETED" else None

    def _request(self, query: dict[str, str], *, read_seconds: float) -> Request:
        if self._collection.label_selector:
            query["labelSelector"] = self._collection.label_selector
        return Request(
            "GET", self._collection.route, self._collection.parameters, query=query, read_seconds=read_seconds
        )


class _Event(msgspec.Struct):
    type: str
    object: JsonObject
