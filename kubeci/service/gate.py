"""Let many work at once, or one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Gate:
    """Who wants to be alone waits for those inside, and keeps others out meanwhile."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._inside = 0

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Do the block beside others, while nobody is alone."""
        while not self._open.is_set():
            await self._open.wait()
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self, seconds: float) -> AsyncIterator[bool]:
        """Do the block alone; after so long others may begin beside it. One at a time may ask for this.

        Gives False where those inside stay for that long.
        """
        self._open.clear()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()
            opens = asyncio.get_running_loop().call_later(seconds, self._open.set)
            try:
                yield not self._inside
            finally:
                opens.cancel()
        finally:
            self._open.set()
