"""Plays recordings to the reconciler, in processes that can be ended anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from typing import Any, cast

from memory_rooms import Clock, MemoryCluster
from recordings import Recording

from kubeci.errors import KubeCIError
from kubeci.model.build import Build, BuildState
from kubeci.model.report import Reported
from kubeci.model.repository import Commit, Ref
from kubeci.model.watch import Change
from kubeci.ports import Checks
from kubeci.report.check_run import setup
from kubeci.service.follow import follow
from kubeci.service.publish import digest_of
from kubeci.service.queue import KeyedQueue
from kubeci.service.reconcile import Observed, Reconciler, WorkflowKey
from kubeci.service.rooms import ClusterRooms, GitHubRooms, Rooms
from kubeci.service.subject import subject_of
from kubeci.store.builds import SqlBuilds

DEADLINE_SECONDS = 20.0
ARGO_UI = "https://argo.example.com"


@dataclass
class Life:
    """How many calls of its rooms a process does before it dies: at the last one, before or after it was done."""

    calls: int = 1_000_000
    after: bool = True
    done: int = 0
    over: bool = False
    at_end: Callable[[], None] = lambda: None

    async def spend(self, call: Coroutine[Any, Any, Any]) -> Any:
        self.done += 1
        last = self.done == self.calls
        if last and not self.after:
            call.close()
            await self._end()
        try:
            result = await call
        except KubeCIError:
            if last:
                await self._end()
            raise
        if last:
            await self._end()
        return result

    async def _end(self) -> None:
        self.over = True
        self.at_end()
        await asyncio.Event().wait()  # nothing comes after; what is left of the process is cancelled


class Mortal:
    """A room as a process sees it: its calls are counted."""

    def __init__(self, room: object, life: Life) -> None:
        self._room = room
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._room, name)
        if not iscoroutinefunction(found):
            return found
        return lambda *values, **named: self._life.spend(found(*values, **named))


@dataclass
class Scene:
    """All that outlives a process of the server: GitHub, the cluster, the store; and the recording it is about."""

    recording: Recording
    builds: SqlBuilds
    checks: Checks
    cluster: MemoryCluster
    build: Build
    clock: Clock = field(default_factory=Clock)
    step: timedelta = timedelta(hours=1)
    """How long it is from one event to the next."""
    life: Life = field(default_factory=Life)
    """That of the present process."""

    @property
    def rooms(self) -> Rooms:
        none = cast("Any", None)
        checks = cast("Any", Mortal(self.checks, self.life))
        cluster = cast("Any", Mortal(self.cluster, self.life))
        return Rooms(
            github=GitHubRooms(none, checks, none, none, none, none, none, none),
            cluster=ClusterRooms(cluster, self.cluster, none),
            builds=cast("Any", Mortal(self.builds, self.life)),
            sandbox=none,
            config=none,
            argo_ui=ARGO_UI,
            clock=self.clock,
            nonce=none,
        )


async def prepare(
    recording: Recording, builds: SqlBuilds, checks: Checks, commit: Commit, cluster: MemoryCluster
) -> Scene:
    """Bring about what stands before the first event: the check-run was created and the workflow submitted."""
    namespace, name = recording.key
    build = Build(
        id=f"build-{recording.name}",
        commit=commit,
        ref=Ref("main"),
        entrypoint="ci",
        check_name=f"Workflow - {recording.name}",
        namespace=namespace,
        workflow_name=name,
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        workflow_uid=recording.expected["workflowUid"],
        state=BuildState.RUNNING,
    )
    scene = Scene(recording, builds, checks, cluster, build)
    check = setup(subject_of(build, ARGO_UI))
    await builds.add(build)
    await builds.save_reported(build.id, Reported(digest=digest_of(check), writes=1))
    scene.build = await builds.change(build.id, check_run_id=await checks.create(commit, check))
    return scene


class Process:
    """One life of the server's reporting half: a queue, a reconciler and a watch that is fed by hand."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._changes: asyncio.Queue[Change] = asyncio.Queue(1)
        self._turned = asyncio.Event()
        self._unsettled: set[WorkflowKey] = set()
        self._taken = 0
        self._rooms = scene.rooms
        self._reconciler = Reconciler(self._rooms)
        self._queue = _Heard(self)
        scene.life.at_end = self._turned.set

    async def follow(self) -> AsyncGenerator[Change, None]:
        """Fulfil the port `WorkflowFeed`."""
        while True:
            yield await self._changes.get()
            self._taken += 1  # the change before was put on the queue
            self._turned.set()

    def heard(self, key: WorkflowKey) -> None:
        """Note that a key waits to be worked on."""
        self._unsettled.add(key)

    async def work(self, key: WorkflowKey, observed: Observed) -> float | None:
        """Let the reconciler work and note that it did."""
        try:
            return await self._reconciler.reconcile(key, observed)
        finally:
            self._unsettled.discard(key)
            self._turned.set()

    async def feed(self, change: Change) -> None:
        """Let a change arrive and wait until it was dealt with."""
        self._scene.clock.moment += self._scene.step
        wanted = self._taken + 1
        await self._changes.put(change)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (self._taken < wanted or self._unsettled) and not self._scene.life.over:
                self._turned.clear()
                await self._turned.wait()

    async def run(self) -> None:
        """Live until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._queue.run())
            group.create_task(follow(self, self._rooms.builds, self._queue))


class _Heard(KeyedQueue[WorkflowKey, Observed]):
    def __init__(self, process: Process) -> None:
        super().__init__(process.work, workers=2)
        self._process = process

    def put(self, key: WorkflowKey, value: Observed) -> None:
        self._process.heard(key)
        super().put(key, value)


@asynccontextmanager
async def process(scene: Scene) -> AsyncIterator[Process]:
    """Start the server's reporting half; it is killed at the end of the block."""
    begun = Process(scene)
    task = asyncio.create_task(begun.run())
    try:
        yield begun
    finally:
        task.cancel()
        ended, _ = await asyncio.wait([task], timeout=DEADLINE_SECONDS)
        assert ended, "it does not end"
        with suppress(asyncio.CancelledError):
            await task  # whatever else ended it is an error


async def play(scene: Scene, into: Process, first: int, last: int, *, listing: bool = True) -> int:
    """Let the events from `first` to `last` happen; gives the last one that did.

    That is an earlier one when the process ends. The first comes by a list of how all stands, or not (`listing`).
    """
    for index in range(first, last + 1):
        scene.cluster.current = scene.recording.object_at(index)
        listed = listing and index == first
        await into.feed(scene.recording.listed_at(index) if listed else scene.recording.change(index))
        if scene.life.over:
            return index
    return last
