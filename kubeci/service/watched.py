"""Whether the changes of workflows reach us: one line in the log whenever that or its reason changes, and two figures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import structlog

from kubeci.errors import Unready, UpstreamError
from kubeci.telemetry import Metrics

log = structlog.get_logger(__name__)


class Watched:
    """The state of the watch; at the beginning it does not work, and nothing is known to stand in its way."""

    def __init__(self, metrics: Metrics | None = None, clock: Callable[[], datetime] | None = None) -> None:
        self._metrics = metrics or Metrics()
        self._clock = clock or partial(datetime.now, UTC)
        self._changed = asyncio.Event()
        self.since = self._clock()
        """When it began to work, or ceased to."""
        self.problem = ""
        """Why it does not work, for anybody; empty: it works, or was not tried yet."""
        self._works = False
        self._show()

    def lost(self, error: UpstreamError, again_in_seconds: float) -> None:
        """Take note that it failed; what is begun anew at once has lost nothing."""
        if not again_in_seconds:
            return
        told = error.public
        if told != self.problem:
            # What an operator has to mend, and what passes by itself.
            tell = log.warning if isinstance(error, Unready) or error.retryable else log.error
            tell("workflows are not followed", because=told, error=str(error))
        self._set(works=False, problem=told)

    def stands(self) -> None:
        """Take note that it works."""
        if not self._works:
            seconds = round((self._clock() - self.since).total_seconds(), 1)
            log.info("workflows are followed", after_seconds=seconds)
        self._set(works=True, problem="")

    def rests(self) -> None:
        """Take note that nobody watches here any more, which is no problem: another replica does."""
        self._set(works=False, problem="")

    async def until_lost(self, seconds: float) -> None:
        """Wait until it has not worked for so long without a break, for a reason that is known."""
        while True:
            await self._until(lambda: bool(self.problem))
            try:
                async with asyncio.timeout(seconds):
                    await self.until_works()
            except TimeoutError:
                return

    async def until_works(self) -> None:
        """Wait until it works."""
        await self._until(lambda: self._works)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _set(self, *, works: bool, problem: str) -> None:
        if works is not self._works:
            self.since = self._clock()
        self._works, self.problem = works, problem
        self._changed.set()
        self._show()

    def _show(self) -> None:
        self._metrics.cluster_watch.set(self._works)
        self._metrics.cluster_watch_since.set(self.since.timestamp())
