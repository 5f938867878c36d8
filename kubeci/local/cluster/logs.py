"""What a container wrote: appended by what runs it, read and followed by the log endpoint."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

LogKey: TypeAlias = tuple[str, str, str]
"""Namespace, pod name, container name."""

PIECE_LIMIT = 16 * 1024  # container runtimes write longer lines in pieces of this size
BUFFER_LIMIT = 10 * 1024 * 1024  # a kubelet rotates at 10 MiB: containerLogMaxSize


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or a part of a long one; `time_ns` is when it was complete, `first` whether a line starts here."""

    time_ns: int
    data: bytes
    first: bool


class LogBuffer:
    """The newest output of one container, at most `limit` bytes; older lines fall out.

    `append` takes bytes in any portions, whole lines become readable, `close` ends it (with what was left of a last
    line). A reader keeps a position: `pieces(position)` gives what came since and the next position, `wait` returns
    when there is more or the buffer is closed.
    """

    def __init__(self, *, limit: int = BUFFER_LIMIT) -> None:
        self.closed = False
        self._limit = limit
        self._pieces: deque[Piece] = deque()
        self._size = 0
        self._dropped = 0
        self._rest = bytearray()
        self._at_line_start = True
        self._changed = asyncio.Event()

    def append(self, chunk: bytes, *, time_ns: int | None = None) -> None:
        """Take what the container wrote; `time_ns` (default: now) stamps the lines it completes.

        What comes after `close` is dropped: the pod may be gone while its process still talks.
        """
        if self.closed:
            return
        stamp = time.time_ns() if time_ns is None else time_ns
        self._rest += chunk
        while self._rest:
            end = self._rest.find(b"\n", 0, PIECE_LIMIT) + 1
            if not end and len(self._rest) < PIECE_LIMIT:
                break
            self._push(stamp, end or PIECE_LIMIT)
        self._wake()

    def close(self) -> None:
        """Say that the container ended; a last line without an end becomes readable."""
        if self._rest:
            self._push(time.time_ns(), len(self._rest))
        self.closed = True
        self._wake()

    def pieces(self, position: int = 0) -> tuple[list[Piece], int]:
        """Give the pieces from `position` on that are still kept, and the position after them."""
        start = max(position - self._dropped, 0)
        newest = len(self._pieces) - start
        taken = [self._pieces[-n] for n in range(newest, 0, -1)]
        return taken, self._dropped + len(self._pieces)

    async def wait(self, position: int) -> None:
        """Return when there is something at `position`, or the buffer is closed."""
        while not self.closed and self._dropped + len(self._pieces) <= position:
            await self._changed.wait()

    def _push(self, stamp: int, size: int) -> None:
        data = bytes(self._rest[:size])
        del self._rest[:size]
        self._pieces.append(Piece(stamp, data, self._at_line_start))
        self._at_line_start = data.endswith(b"\n")
        self._size += size
        while self._size > self._limit and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft().data)
            self._dropped += 1

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
