"""The engine: takes every workflow of the cluster that is not completed, and runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias

import structlog

from kubeci.local.cluster.objects import Change, Objects
from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOWS, Resource
from kubeci.local.cluster.status import ApiError, Expired
from kubeci.local.engine import artifacts, isolation
from kubeci.local.engine.claims import claim_folder
from kubeci.local.engine.run import WorkflowRun
from kubeci.local.engine.runner import Limits, Machine
from kubeci.local.engine.status import COMPLETED_LABEL
from kubeci.local.engine.uninterrupted import uninterrupted
from kubeci.model.json import JsonObject

_log = structlog.get_logger(__name__)

Key: TypeAlias = tuple[str, str]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Engine:
    """Runs the workflows of `objects` in `folder`, as an asynchronous context manager.

    Leaving it kills every process that it started and removes every pod's folder (claims stay: they are the cache).
    `isolation` "auto" takes namespaces where they are allowed; once entered, `isolation` says what is used.
    """

    def __init__(
        self,
        objects: Objects,
        *,
        folder: Path,
        clock: Callable[[], datetime] = _utc_now,
        isolation: Literal["auto", "namespace", "process"] = "auto",
        limits: Limits | None = None,
    ) -> None:
        self._objects = objects
        self._folder = folder
        self._clock = clock
        self._wanted = isolation
        self._limits = limits or Limits()
        self._machine: Machine | None = None
        self._runs: dict[Key, tuple[WorkflowRun, asyncio.Task[None]]] = {}
        self._removals: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def isolation(self) -> isolation.Isolation:
        """Say how steps are kept apart from this machine; known once the engine was entered."""
        assert self._machine is not None
        return self._machine.isolation

    async def __aenter__(self) -> Self:
        """Start: find out how steps can be isolated, then follow the cluster's changes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        found = await isolation.probe() if self._wanted == "auto" else self._wanted
        if found == "process":
            _log.warning(
                "steps run as plain processes: this machine does not allow namespaces", isolation=found
            )
        self._machine = Machine(
            self._objects,
            self._folder.resolve(),
            self._clock,
            found,
            asyncio.Semaphore(self._limits.pods_at_once),
            self._limits,
        )
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop: kill what runs, and wait until it is gone."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def run(self) -> None:
        """Follow the changes of workflows, pods and claims until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for resource, follow in (
                    (WORKFLOWS, self._workflow),
                    (PODS, self._pod),
                    (CLAIMS, self._claim),
                ):
                    group.create_task(self._watch(resource, follow))
        finally:
            await uninterrupted(self._stop())

    async def _watch(self, resource: Resource, follow: Callable[[Change], None]) -> None:
        while True:
            since = self._objects.version
            self._look_again()
            with suppress(Expired):  # the history was cleared: what stands now is what counts
                async for change in self._objects.watch(resource, None, since):
                    follow(change)

    def _look_again(self) -> None:
        """Take up every workflow that is not known, and let the known ones look at their own."""
        for workflow in self._objects.list(WORKFLOWS, None):
            if known := self._runs.get(_key(workflow)):
                known[0].wake()
            else:
                self._take(workflow)

    def _workflow(self, change: Change) -> None:
        workflow = change.object
        known = self._runs.get(_key(workflow))
        if change.type == "DELETED":
            if known:
                known[1].cancel()
        elif known and not known[1].done():
            known[0].wake()
        else:
            self._take(workflow)

    def _take(self, workflow: JsonObject) -> None:
        metadata = workflow["metadata"]
        if (metadata.get("labels") or {}).get(COMPLETED_LABEL) == "true" or "deletionTimestamp" in metadata:
            return
        assert self._machine is not None
        key = _key(workflow)
        run = WorkflowRun(self._machine, *key)
        task = asyncio.create_task(run.run())
        self._runs[key] = (run, task)
        task.add_done_callback(lambda done: self._forget(key, done))

    def _forget(self, key: Key, done: asyncio.Task[None]) -> None:
        """Let a run go; a workflow that was made to go on meanwhile (a retry) is taken up again."""
        if key in self._runs and self._runs[key][1] is done:
            del self._runs[key]
        if done.cancelled():
            return
        if (error := done.exception()) is not None:
            _log.error(
                "a workflow's run ended by a defect", workflow=key[1], namespace=key[0], exc_info=error
            )
            return
        with suppress(ApiError):
            self._take(self._objects.get(WORKFLOWS, *key))

    def _pod(self, change: Change) -> None:
        pod = change.object
        labels = pod["metadata"].get("labels") or {}
        known = self._runs.get(
            (pod["metadata"]["namespace"], labels.get("workflows.argoproj.io/workflow", ""))
        )
        if known and (change.type == "DELETED" or "deletionTimestamp" in pod["metadata"]):
            known[0].lose(pod["metadata"]["uid"], gone=change.type == "DELETED")

    def _claim(self, change: Change) -> None:
        if change.type == "DELETED" and self._machine is not None:
            folder = claim_folder(self._machine.folder, change.object)
            removal = asyncio.create_task(asyncio.to_thread(artifacts.remove, folder))
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    async def _stop(self) -> None:
        tasks = [task for _, task in self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._removals, return_exceptions=True)


def _key(workflow: JsonObject) -> Key:
    return (workflow["metadata"]["namespace"], workflow["metadata"]["name"])
