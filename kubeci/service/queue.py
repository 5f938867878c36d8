"""A queue of keys with their newest value: one key is worked on by one worker at a time, and nothing is forgotten."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from kubeci.errors import RateLimited, UpstreamError

K = TypeVar("K")
V = TypeVar("V")

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 300.0

log = structlog.get_logger(__name__)


def backoff_seconds(failures: int) -> float:
    """Say how long to wait after so many failures in a row: doubling from a second to five minutes."""
    return min(FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_BACKOFF_SECONDS)


@dataclass(slots=True)
class _Slot(Generic[V]):
    value: V
    version: int = 0
    failures: int = 0
    busy: bool = False
    due: float = 0.0
    problem: str = ""
    """What was logged of the last failure; the same is not logged again."""


class KeyedQueue(Generic[K, V]):
    """Hands the newest value of each key to `work`, which answers with the seconds until it wants to see it again.

    None means that the value is dealt with. An exception is a wish to try again, later each time; a value that arrives
    meanwhile replaces the old one and is worked on at once. The queue holds one value a key, and none that is dealt with.
    """

    def __init__(
        self,
        work: Callable[[K, V], Awaitable[float | None]],
        *,
        workers: int = 4,
        backoff: Callable[[int], float] = backoff_seconds,
    ) -> None:
        """Work with `workers` keys at a time; `backoff` gives the pause after so many failures in a row."""
        self._work = work
        self._backoff = backoff
        self._workers = workers
        self._slots: dict[K, _Slot[V]] = {}
        self._due: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, key: K, value: V) -> None:
        """Give a key a new value, due now."""
        slot = self._slots.setdefault(key, _Slot(value))
        slot.value = value
        slot.version += 1
        slot.failures = 0
        self._schedule(key, slot, 0.0)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        while True:
            key, slot = await self._next()
            slot.busy = True
            version = slot.version
            again = await self._attempt(key, slot)
            slot.busy = False
            if slot.version != version:
                self._schedule(key, slot, 0.0)
            elif again is None:
                del self._slots[key]
            else:
                self._schedule(key, slot, again)

    async def _attempt(self, key: K, slot: _Slot[V]) -> float | None:
        try:
            again = await self._work(key, slot.value)
        except Exception as error:
            # Whatever it was, the key must not be forgotten.
            slot.failures += 1
            seconds = self._backoff(slot.failures)
            if isinstance(error, RateLimited):
                seconds = max(seconds, error.retry_after)
            expected = isinstance(error, UpstreamError)
            if slot.problem != str(error):
                slot.problem = str(error)
                log.warning(
                    "will try again", key=str(key), seconds=seconds, error=str(error), exc_info=not expected
                )
            return seconds
        slot.failures, slot.problem = 0, ""
        return again

    async def _next(self) -> tuple[K, _Slot[V]]:
        loop = asyncio.get_running_loop()
        while True:
            while self._due and self._due[0][0] <= loop.time():
                due, _, key = heapq.heappop(self._due)
                slot = self._slots.get(key)
                if slot and not slot.busy and slot.due == due:
                    return key, slot
            self._wake.clear()
            wait = self._due[0][0] - loop.time() if self._due else None
            # Not wait_for: in Python 3.11 it can swallow a cancellation.
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    def _schedule(self, key: K, slot: _Slot[V], seconds: float) -> None:
        slot.due = asyncio.get_running_loop().time() + seconds
        if not slot.busy:
            heapq.heappush(self._due, (slot.due, next(self._order), key))
            self._wake.set()
