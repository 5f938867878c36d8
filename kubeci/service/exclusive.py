"""Let one at a time do something: of this process, and where several replicas share a store of all of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from weakref import WeakValueDictionary

from kubeci.errors import UpstreamError
from kubeci.ports import Locks


class Busy(UpstreamError):
    """Others are about the same for longer than it pays to wait; nothing was done."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


@dataclass(frozen=True, slots=True)
class Holding:
    """How long locks last and are waited for; all in seconds."""

    lock: float = 15.0
    """What a replica that died was about waits so long for another."""
    renew: float = 5.0
    wait: float = 20.0
    """After so long a wait the work is put off: the worker has other things to do. Longer than `lock`."""
    first_pause: float = 0.05
    longest_pause: float = 1.0


class Exclusive:
    """Locks by name: in the process where it is the only one, else in the store too."""

    def __init__(self, locks: Locks | None = None, holding: Holding | None = None) -> None:
        """Work with the locks that replicas share; None: there is one replica."""
        self._locks = locks
        self._holding = holding or Holding()
        self._here: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Do the block while nobody else does a block of this name; waits for them.

        Raises `Busy` where they take too long. Where the store says that the lock went to another, or does not say in time
        that it is still ours, the block is cancelled with a retryable `UpstreamError`: what it does must stand being done
        again.
        """
        async with self._locked(name):
            if self._locks is None:
                yield
                return
            asked = await self._taken(name, self._locks)
            async with self._held(name, self._locks, asked):
                yield

    @asynccontextmanager
    async def hold_if_free(self, name: str) -> AsyncIterator[bool]:
        """Do the block likewise if nobody is about it; gives False at once where somebody is."""
        lock = self._lock(name)
        if lock.locked():
            yield False
            return
        async with lock:
            if self._locks is None:
                yield True
                return
            asked = asyncio.get_running_loop().time()
            if not await self._locks.take(name, self._holding.lock):
                yield False
                return
            async with self._held(name, self._locks, asked):
                yield True

    @asynccontextmanager
    async def _locked(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of this process."""
        lock = self._lock(name)
        try:
            async with asyncio.timeout(self._holding.wait):
                await lock.acquire()
        except TimeoutError as error:
            raise Busy("other work is about the same") from error
        try:
            yield
        finally:
            lock.release()

    def _lock(self, name: str) -> asyncio.Lock:
        return self._here.setdefault(name, asyncio.Lock())

    async def _taken(self, name: str, locks: Locks) -> float:
        """Wait for a lock; gives when it was asked for, from which its time counts here."""
        loop = asyncio.get_running_loop()
        give_up, pause = loop.time() + self._holding.wait, self._holding.first_pause
        while True:
            asked = loop.time()
            if await locks.take(name, self._holding.lock):
                return asked
            if asked >= give_up:
                raise Busy("another replica of the server is about the same")
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - replicas must not ask in step
            pause = min(pause * 1.5, self._holding.longest_pause)

    @asynccontextmanager
    async def _held(self, name: str, locks: Locks, asked: float) -> AsyncIterator[None]:
        """Renew a lock that was just taken until the block ends, then free it."""
        try:
            async with asyncio.timeout_at(asked + self._holding.lock) as left:
                over = asyncio.Event()
                renewing = asyncio.create_task(self._renew(name, locks, left, over))
                try:
                    yield
                finally:
                    over.set()
                    if not left.expired():
                        left.reschedule(None)
                    # What the store does for a cancelled renewal it does all the same: the freed lock would be taken again.
                    await asyncio.wait({renewing}, timeout=self._holding.renew)
                    renewing.cancel()
                    await asyncio.gather(renewing, return_exceptions=True)
        except TimeoutError as error:
            if not left.expired():
                raise
            told = "another replica of the server may be about the same by now"
            raise UpstreamError(told, retryable=True) from error
        finally:
            with suppress(UpstreamError):  # it runs out by itself
                await locks.free(name)

    async def _renew(self, name: str, locks: Locks, left: asyncio.Timeout, over: asyncio.Event) -> None:
        loop, pause = asyncio.get_running_loop(), self._holding.renew
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await over.wait()
                    return
            asked = loop.time()
            try:
                ours = await locks.take(name, self._holding.lock)
            except UpstreamError:
                pause = self._holding.longest_pause
                continue
            pause = self._holding.renew
            if not left.expired() and not over.is_set():
                left.reschedule(asked + self._holding.lock if ours else asked)
