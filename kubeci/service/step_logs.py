"""The end of a step's log as a person reads it: of all its containers, without colours, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from kubeci.errors import UpstreamError
from kubeci.model.build import Build
from kubeci.report.executor_lines import is_executors
from kubeci.report.plain import plain
from kubeci.service.run_logs import KeptLog, LiveLog, LogRooms, LogWish, NoLog, open_log
from kubeci.workflow.pod_names import containers_of

LINES = 10_000
"""Last lines that are shown."""
LINE_BYTES = 4096
"""Bytes of a line that are shown."""
READERS = 4
"""Logs that are read at a time."""
WAIT_SECONDS = 20.0
ARCHIVED = "The pod is gone. This is the log that Argo archived."


@dataclass(frozen=True, slots=True)
class StepLog:
    """The end of a step's log: its last `lines`, of `count` in all; `note` says what a reader should know of it."""

    lines: tuple[str, ...] = ()
    count: int = 0
    ended: bool = True
    note: str = ""

    def after(self, count: int) -> tuple[str, ...]:
        """Give the lines that come after the first `count`; all where the log is shorter, since it was rotated."""
        new = self.count - count
        return self.lines if new < 0 or new >= len(self.lines) else self.lines[len(self.lines) - new :]


class LogTail:
    """The last lines of what comes in chunks of any size, in bounded memory."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=LINES)
        self._rest = bytearray()
        self._pending = False
        self.count = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._extend(piece)
            self._end_line()
        self._extend(rest)
        self._pending = self._pending or bool(rest)

    def close(self) -> None:
        """Take the end: a last line needs no newline."""
        if self._pending:
            self._end_line()

    def lines(self) -> tuple[str, ...]:
        """Give the last lines as a person reads them: without colours, and of progress bars the last state."""
        return tuple(_readable(line) for line in self._lines)

    def _extend(self, piece: bytes) -> None:
        self._rest += piece[: LINE_BYTES - len(self._rest)]

    def _end_line(self) -> None:
        line = bytes(self._rest)
        self._rest.clear()
        self._pending = False
        if not is_executors(line.decode(errors="replace")):
            self._lines.append(line)
            self.count += 1


def _readable(line: bytes) -> str:
    text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
    return plain(text).rstrip()


class StepLogs:
    """Reads the logs of steps for people who look."""

    def __init__(self, rooms: LogRooms) -> None:
        self._rooms = rooms
        self._readers = asyncio.Semaphore(READERS)

    async def read(self, build: Build, node_id: str) -> StepLog:
        """Give the log of a step as of now, with those of all its containers."""
        state = (await self._rooms.look.at(build)).state
        node = next((each for each in state.nodes if each.id == node_id), None) if state else None
        containers = containers_of(state, node) if state and node else ("",)
        ended = node.ended if node else True
        tail = LogTail()
        archived = ""
        try:
            async with asyncio.timeout(WAIT_SECONDS), self._readers:
                for container in containers:
                    if len(containers) > 1:
                        tail.feed(f"── {container} ──\n".encode())
                    wish = LogWish(build, node_id, container)
                    async with open_log(wish, self._rooms) as opened:
                        if not isinstance(opened, LiveLog):
                            return _without_pod(opened, ended=ended)
                        archived = ARCHIVED if opened.archived else archived
                        while (chunk := await opened.next()) is not None:
                            tail.feed(chunk)
                    if ended or len(containers) > 1:
                        tail.close()
        except (UpstreamError, TimeoutError):
            return StepLog(ended=ended, note="The cluster does not give this log now.")
        lines = await asyncio.to_thread(tail.lines)
        cut = f"These are the last {len(lines):,} of {tail.count:,} lines." if tail.count > len(lines) else ""
        return StepLog(lines, tail.count, ended, " ".join(filter(None, (archived, cut))))


def _without_pod(found: KeptLog | NoLog, *, ended: bool) -> StepLog:
    if isinstance(found, NoLog):
        return StepLog(ended=ended, note=found.reason[:1].upper() + found.reason[1:])
    lines = tuple(plain(line) for line in found.text.split("\n")[:-1])
    note = f"The pod is gone. The last {len(lines)} lines were kept." if lines else "The log is empty."
    return StepLog(lines, len(lines), ended, note)
