"""The log of one step as it comes: from its pod while there is one, else what was kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from kubeci.errors import NotFound, UpstreamError
from kubeci.model.build import Build
from kubeci.model.report import NodeLog
from kubeci.ports import Builds, PodLogs
from kubeci.service.look import Look
from kubeci.workflow.pod_names import containers_of, pod_name
from kubeci.workflow.status import Node, WorkflowState

OPENING_SECONDS = 1.0
"""How long a log may say nothing until it is taken for one that is open."""


@dataclass(frozen=True, slots=True)
class LogWish:
    """Which log: a node of a build, a container (empty: the first), and whether to wait for what comes."""

    build: Build
    node_id: str
    container: str = ""
    follow: bool = False


class LiveLog:
    """A log that is being read from its pod."""

    def __init__(self, first: asyncio.Task[bytes | None], rest: AsyncGenerator[bytes, None]) -> None:
        self._first: asyncio.Task[bytes | None] | None = first
        self._rest = rest

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
    pod_logs: PodLogs
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
    async with _from_pod(wish, state, node, rooms.pod_logs) as live:
        yield live or await _kept(wish, rooms)


def _refusal(node: Node, container: str, containers: tuple[str, ...]) -> NoLog | None:
    if node.type != "Pod":
        return NoLog(f"the node is of type {node.type or 'unknown'}: only Pods have logs")
    if container and container not in containers:
        return NoLog(f"the step has no container of this name; it has: {', '.join(containers)}")
    return None


@asynccontextmanager
async def _from_pod(
    wish: LogWish, state: WorkflowState, node: Node, pod_logs: PodLogs
) -> AsyncIterator[LiveLog | NoLog | None]:
    """Read a pod's log; None: the pod is gone."""
    pod = pod_name(state.name, node, format_version=state.pod_name_format)
    container = wish.container or containers_of(state, node)[0]
    async with aclosing(pod_logs.read(state.namespace, pod, container, follow=wish.follow)) as chunks:
        first = asyncio.create_task(_next(chunks))
        try:
            await asyncio.wait({first}, timeout=OPENING_SECONDS)
            problem = first.exception() if first.done() else None
            if isinstance(problem, NotFound):
                yield None
            elif isinstance(problem, UpstreamError) and not node.ended:
                yield NoLog("the container has not started", later=True)
            elif problem:
                raise problem
            else:
                yield LiveLog(first, chunks)
        finally:
            first.cancel()
            # A generator that is running cannot be closed.
            await asyncio.wait({first})


async def _next(chunks: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(chunks, None)


async def _kept(wish: LogWish, rooms: LogRooms) -> KeptLog | NoLog:
    log = (await rooms.builds.logs(wish.build.id)).get(wish.node_id)
    if log is None:
        return NoLog("there is no log of such a node: it has no pod now, and nothing was kept of it")
    return _written(log)


def _written(log: NodeLog) -> KeptLog | NoLog:
    if log.missing and not log.tail:
        return NoLog(f"there is no log: {log.missing}")
    return KeptLog("".join(f"{line}\n" for line in log.tail))
