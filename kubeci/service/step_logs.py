"""The log of one step: from its pod while there is one, afterwards what was kept of it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from kubeci.errors import NotFound, UpstreamError
from kubeci.model.build import Build
from kubeci.model.report import NodeLog
from kubeci.ports import Builds, PodLogs
from kubeci.report.plain import plain
from kubeci.service.look import Look
from kubeci.workflow.pod_names import containers_of, pod_name
from kubeci.workflow.status import Node, WorkflowState

LINES = 10_000
"""Last lines that are shown."""
LINE_BYTES = 4096
"""Bytes of a line that are shown."""
READERS = 4
"""Logs that are read at a time."""
WAIT_SECONDS = 20.0


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
        self._lines.append(bytes(self._rest))
        self._rest.clear()
        self._pending = False
        self.count += 1


def _readable(line: bytes) -> str:
    text = line.decode(errors="replace").rstrip("\r").rpartition("\r")[2]
    return plain(text).rstrip()


class StepLogs:
    """Reads the logs of steps for people who look."""

    def __init__(self, builds: Builds, pod_logs: PodLogs, look: Look) -> None:
        self._builds = builds
        self._pod_logs = pod_logs
        self._look = look
        self._readers = asyncio.Semaphore(READERS)

    async def read(self, build: Build, node_id: str) -> StepLog | None:
        """Give the log of a step as of now; None: the build has no step of this id that writes one."""
        state = (await self._look.at(build)).state
        node = next((each for each in state.nodes if each.id == node_id), None) if state else None
        if state and node and node.type == "Pod":
            if node.phase == "Pending":
                return StepLog(ended=False, note="The step has not begun.")
            found = await self._of_pod(state, node)
            if found:
                return found
        kept = (await self._builds.logs(build.id)).get(node_id)
        if kept:
            return _kept(kept)
        return StepLog(note="There is no log.") if node and node.type == "Pod" else None

    async def _of_pod(self, state: WorkflowState, node: Node) -> StepLog | None:
        """Read the pod's log; None: the pod is gone."""
        tail = LogTail()
        pod = pod_name(state.name, node, format_version=state.pod_name_format)
        containers = containers_of(state, node)
        try:
            async with self._readers, asyncio.timeout(WAIT_SECONDS):
                for container in containers:
                    if len(containers) > 1:
                        tail.feed(f"── {container} ──\n".encode())
                    async for chunk in self._pod_logs.read(state.namespace, pod, container):
                        tail.feed(chunk)
                    if node.ended or len(containers) > 1:
                        tail.close()
        except NotFound:
            return None
        except (UpstreamError, TimeoutError) as error:
            begins = isinstance(error, UpstreamError) and error.retryable and not node.ended
            note = "The container has not started." if begins else "The cluster does not give this log now."
            return StepLog(ended=node.ended, note=note)
        lines = await asyncio.to_thread(tail.lines)
        cut = f"These are the last {len(lines):,} of {tail.count:,} lines." if tail.count > len(lines) else ""
        return StepLog(lines, tail.count, node.ended, cut)


def _kept(log: NodeLog) -> StepLog:
    if log.missing:
        return StepLog(log.tail, len(log.tail), note=f"The log could not be read: {plain(log.missing)}.")
    note = f"The pod is gone. The last {len(log.tail)} lines were kept." if log.tail else "The log is empty."
    return StepLog(log.tail, len(log.tail), note=note)
