"""Room for bodies that are being read at once: bounded in bytes, and taken from whoever uses it least."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CONNECTION_BYTES = 64 * 1024
"""What a connection takes beside its body: the listener reads that much ahead."""
RECENT_SECONDS = 2.0
"""What was sent longer ago hardly counts as being sent."""


class NoRoomError(Exception):
    """Others needed the room, and no body was read as slowly as this one."""


class Held:
    """A body that is being read; `end` makes its reader stop."""

    def __init__(self, end: Callable[[], None], now: float) -> None:
        self.end = end
        self.bytes_held = 0
        self.ended = False
        self._rate = 0.0
        self._at = now

    def grow(self, count: int, now: float) -> None:
        """Note that so many bytes came."""
        self._rate = self._recent(now) + count / RECENT_SECONDS
        self._at = now
        self.bytes_held += count

    def slowness(self, now: float) -> float:
        """Give the seconds that all of it would take at the rate at which it comes now."""
        return self.bytes_held / max(self._recent(now), 1.0)

    def _recent(self, now: float) -> float:
        return self._rate * math.exp(-max(now - self._at, 0.0) / RECENT_SECONDS)


class Room:
    """Room for `most_bytes` of bodies, each counted with its connection.

    Whoever sends is not known before the whole body is there, so nobody is refused for coming late: when the room is
    full, the body ends that takes the most of it for the least that comes. To keep a webhook out, a stranger has to send
    as fast as GitHub does, with as much as the room holds.
    """

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._held: set[Held] = set()
        self.bytes_held = 0

    @contextmanager
    def entered(self, end: Callable[[], None]) -> Iterator[Held]:
        """Hold room for a body for the length of the block; `end` is called if others need it before."""
        held = Held(end, self._clock())
        self._held.add(held)
        try:
            self.grow(held, CONNECTION_BYTES)
            yield held
        finally:
            self._leave(held)

    def grow(self, held: Held, count: int) -> None:
        """Take room for so many bytes more; raises `NoRoomError` where this body is the one that ends."""
        now = self._clock()
        if not held.ended:
            held.grow(count, now)
            self.bytes_held += count
        while self.bytes_held > self._most_bytes:
            slowest = max(self._held, key=lambda each: each.slowness(now))
            self._leave(slowest)
            slowest.ended = True
            if slowest is not held:
                slowest.end()
        if held.ended:
            raise NoRoomError

    def _leave(self, held: Held) -> None:
        if held in self._held:
            self._held.remove(held)
            self.bytes_held -= held.bytes_held
