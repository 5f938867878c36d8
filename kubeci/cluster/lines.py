"""Lines out of a stream of chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator

MAX_LINE_BYTES = (
    32_000_000  # an object of the API server stays far below; more would be kept in memory in vain
)


class LineTooLongError(ValueError):
    """A line never ends."""


async def lines(chunks: AsyncIterator[bytes], limit: int = MAX_LINE_BYTES) -> AsyncIterator[bytes]:
    """Cut chunks, split anywhere, into lines without their ends; what follows the last end is dropped.

    Costs one copy of each byte, however many chunks a line comes in. Raises `LineTooLongError`.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            yield b"".join((*parts, piece))
            parts.clear()
            size = 0
        parts.append(rest)
        size += len(rest)
        if size > limit:
            raise LineTooLongError(f"a line of more than {limit:,} bytes")
