"""Connections of the HTTP listener: how long one may keep us waiting for a request."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


class PatientProtocol(H11Protocol):
    """HTTP for strangers: uvicorn alone would wait for ever for a request's head that comes byte by byte.

    A request whose answer has begun, or whose body is being read, is its endpoint's to bound.
    """

    waiting_seconds: ClassVar[float] = 20.0
    """How long a connection may be open without a request that is being answered."""

    _since = 0.0
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take a connection."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._check()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let it go."""
        if self._look:
            self._look.cancel()
        super().connection_lost(exc)

    def _check(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        answering = cycle is not None and not cycle.response_complete
        now = self.loop.time()
        if answering:
            self._since = now
        elif now - self._since >= self.waiting_seconds:
            self.transport.abort()
            return
        self._look = self.loop.call_later(self.waiting_seconds / 4, self._check)
