"""The log of one step as it comes: from its pod while there is one, else as Argo archived it, else what was kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from kubeci.errors import NotFound, UpstreamError
from kubeci.model.build import Build
from kubeci.model.report import NodeLog
from kubeci.ports import Builds
from kubeci.service.look import Look
from kubeci.service.node_logs import NodeLogs
from kubeci.workflow.pod_names import containers_of
from kubeci.workflow.status import Node

OPENING_SECONDS = 1.0
"""How long a log may say nothing until it is taken for one that is open."""
ARCHIVE_SECONDS = 10.0
"""How long an archived log may take to begin."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LogWish:
    """Which log: a node of a build, a container (empty: the first), and whether to wait for what comes."""

    build: Build
    node_id: str
    container: str = ""
    follow: bool = False


class LiveLog:
    """A log that is being read: from its pod, or the whole of it as Argo `archived` it."""

    def __init__(
        self, first: asyncio.Task[bytes | None], rest: AsyncGenerator[bytes, None], *, archived: bool = False
    ) -> None:
        self._first: asyncio.Task[bytes | None] | None = first
        self._rest = rest
        self.archived = archived

    async def next(self) -> bytes | None:
        """Give the next chunk, None at the end; raises `UpstreamError` when the log breaks off."""
        if self._first:
            first, self._first = self._first, None
            return await first
        return await anext(self._rest, None)


@dataclass(frozen=True, slots=True)
class KeptLog:
    """The last lines of a log whose pod is gone."""

    text: str


@dataclass(frozen=True, slots=True)
class NoLog:
    """There is no log; `later`: there may be one soon."""

    reason: str
    later: bool = False


OpenedLog: TypeAlias = LiveLog | KeptLog | NoLog


@dataclass(frozen=True, slots=True)
class LogRooms:
    """Where logs are read from."""

    builds: Builds
    logs: NodeLogs
    look: Look


@asynccontextmanager
async def open_log(wish: LogWish, rooms: LogRooms) -> AsyncIterator[OpenedLog]:
    """Open a log for the length of the block; the connection to the cluster ends with it."""
    state = (await rooms.look.at(wish.build)).state
    node = next((each for each in state.nodes if each.id == wish.node_id), None) if state else None
    if state is None or node is None:
        yield await _kept(wish, rooms)
        return
    containers = containers_of(state, node)
    if refusal := _refusal(node, wish.container, containers):
        yield refusal
        return
    container = wish.container or containers[0]
    chunks = rooms.logs.of_pod(state, node, container, follow=wish.follow)
    async with _from_pod(chunks, node) as live:
        if live:
            yield live
            return
    async with _from_archive(rooms.logs.of_archive(state, node, container)) as archived:
        yield archived or await _kept(wish, rooms)


def _refusal(node: Node, container: str, containers: tuple[str, ...]) -> NoLog | None:
    if node.type != "Pod":
        return NoLog(f"the node is of type {node.type or 'unknown'}: only Pods have logs")
    if container and container not in containers:
        return NoLog(f"the step has no container of this name; it has: {', '.join(containers)}")
    return None


@asynccontextmanager
async def _from_pod(chunks: AsyncGenerator[bytes, None], node: Node) -> AsyncIterator[LiveLog | NoLog | None]:
    """Read a pod's log; None: the pod is gone."""
    async with _beginning(chunks, OPENING_SECONDS) as first:
        problem = first.exception() if first.done() else None
        if isinstance(problem, NotFound):
            yield None
        elif isinstance(problem, UpstreamError) and not node.ended:
            yield NoLog("the container has not started", later=True)
        elif problem:
            raise problem
        else:
            yield LiveLog(first, chunks)


@asynccontextmanager
async def _from_archive(chunks: AsyncGenerator[bytes, None] | None) -> AsyncIterator[LiveLog | None]:
    """Read an archived log; None: there is none, or it is not to be had now."""
    if chunks is None:
        yield None
        return
    async with _beginning(chunks, ARCHIVE_SECONDS) as first:
        problem = first.exception() if first.done() else TimeoutError()
        if isinstance(problem, UpstreamError | TimeoutError):
            log.warning("an archived log cannot be read", error=str(problem) or "it does not begin")
            yield None
        elif problem:
            raise problem
        else:
            yield LiveLog(first, chunks, archived=True)


@asynccontextmanager
async def _beginning(
    chunks: AsyncGenerator[bytes, None], seconds: float
) -> AsyncIterator[asyncio.Task[bytes | None]]:
    """Ask for the first chunk and wait for it so long; all ends with the block."""
    async with aclosing(chunks):
        first = asyncio.create_task(_next(chunks))
        try:
            await asyncio.wait({first}, timeout=seconds)
            yield first
        finally:
            first.cancel()
            # A generator that is running cannot be closed.
            await asyncio.wait({first})


async def _next(chunks: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(chunks, None)


async def _kept(wish: LogWish, rooms: LogRooms) -> KeptLog | NoLog:
    kept = (await rooms.builds.logs(wish.build.id)).get(wish.node_id)
    if kept is None:
        return NoLog("there is no log of such a node: it has no pod now, and nothing was kept of it")
    return _written(kept)


def _written(kept: NodeLog) -> KeptLog | NoLog:
    if kept.missing and not kept.tail:
        return NoLog(f"there is no log: {kept.missing}")
    return KeptLog("".join(f"{line}\n" for line in kept.tail))
