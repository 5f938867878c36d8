"""Words for tests in which the server is stopped and started, or its surroundings fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests_stack import REPOSITORY, Scene

from kubeci.app import Pace, Patience
from kubeci.cluster.list_watch import Timing
from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.github.faults import Fault
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import LocalStack, StackSettings, surroundings, with_server

LINES = "".join(f"src/a.py:{n}: error: line {n}\n" for n in range(1, 121))
NEVER = 60.0  # seconds; an answer so late comes after the end of the test
NAMESPACE = "argo"
FAST = Pace(
    backoff=lambda failures: min(0.02 * 2**failures, 0.2),
    idle_seconds=0.5,
    look_again_seconds=0.1,
    push_wait_seconds=0.02,
    watch=Timing(backoff=0.05, backoff_cap=0.1, silence=10.0),
    github=Patience(answer_seconds=0.5, pauses=(0.02,), limit_seconds=0.2),
)
BORED = replace(FAST, watch=replace(FAST.watch, silence=0.4))
"""Leaves a watch that says nothing."""
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    """A step of a workflow as its status shows it; with a log it has a pod."""

    name: str
    phase: str = "Succeeded"
    log: str | None = None
    attempt: int = 0
    reached: bool = True
    """Its pod was on a machine; else the API server refused it."""


@dataclass
class Clock:
    """The wall clock, which a test may put forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class World(Scene):
    """GitHub and a cluster without an engine, and a server that comes and goes; the test writes what workflows do."""

    clock: Clock = field(default_factory=Clock)
    server: LocalStack | None = None
    life: asyncio.Task[None] | None = None

    async def start(self, pace: Pace = FAST) -> None:
        ready: asyncio.Future[LocalStack] = asyncio.get_running_loop().create_future()
        self.life = asyncio.create_task(self._live(ready, pace))
        either: list[asyncio.Future[Any]] = [ready, self.life]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self.life.done():
            await self.life  # it could not start
        self.server = await ready

    async def _live(self, ready: asyncio.Future[LocalStack], pace: Pace) -> None:
        async with with_server(self.stack, clock=self.clock, pace=pace) as stack:
            ready.set_result(stack)
            await asyncio.Event().wait()

    async def kill(self) -> None:
        assert self.life
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)
        assert self.life.cancelled(), self.life
        self.life = None
        self.stack.github.webhook_url = ""

    async def restart(self) -> None:
        await self.kill()
        await self.start()

    def github_fault(self, method: str, path: str, **how: Any) -> Fault:
        return self.stack.github.faults.add(Fault(method, path, **how))

    def workflows(self) -> list[dict[str, Any]]:
        return self.stack.cluster.objects.list(WORKFLOWS, None)

    async def submitted(self, count: int = 1) -> str:
        """Wait until there are so many workflows; give the newest one's name."""
        found = await self.until(lambda: all_ if len(all_ := self.workflows()) >= count else [])
        newest = max(found, key=lambda each: int(each["metadata"]["resourceVersion"]))
        return str(newest["metadata"]["name"])

    async def finished(self, sha: str, *, count: int = 1) -> CheckRun:
        """Wait until check-runs are concluded and the server has written that down."""
        run = await self.concluded(sha, count=count)
        await self.until(lambda: not self.stored("SELECT id FROM builds WHERE state != 'finished'"))
        return run

    def status(self, name: str, phase: str, *steps: Step) -> None:
        """Write a workflow's status as Argo does, with pods and logs."""
        nodes: dict[str, Any] = {name: _node(name, name, "Steps", phase) | {"children": []}}
        for step in steps:
            node_id = f"{name}-{step.name}"
            nodes[name]["children"].append(node_id)
            nodes[node_id] = _node(node_id, step.name, "Pod", step.phase, step.attempt)
            if not step.reached:
                del nodes[node_id]["hostNodeName"]
            if step.log is not None:
                self._pod(node_id, step.log)
        status = {"phase": phase, "startedAt": _time(0), "nodes": None}
        if phase in {"Succeeded", "Failed", "Error"}:
            status["finishedAt"] = _time(1 + max((step.attempt for step in steps), default=0))
        objects = self.stack.cluster.objects
        found = objects.get(WORKFLOWS, NAMESPACE, name)
        version = {"workflows.argoproj.io/pod-name-format": "v1"}  # a pod is named like its node
        metadata = {**found["metadata"], "annotations": {**found["metadata"]["annotations"], **version}}
        objects.replace(
            WORKFLOWS, NAMESPACE, name, {**found, "metadata": metadata, "status": status | {"nodes": nodes}}
        )

    def patch(self, name: str, patch: dict[str, Any]) -> None:
        self.stack.cluster.objects.merge_patch(WORKFLOWS, NAMESPACE, name, patch)

    def delete(self, name: str) -> None:
        self.stack.cluster.objects.delete(WORKFLOWS, NAMESPACE, name)

    def _pod(self, name: str, log: str) -> None:
        objects = self.stack.cluster.objects
        if (NAMESPACE, name, "main") not in objects.logs:
            spec = {"nodeName": "node", "containers": [{"name": "main", "image": "alpine"}]}
            pod = {"metadata": {"name": name}, "spec": spec, "status": {"phase": "Succeeded"}}
            objects.create(PODS, NAMESPACE, pod)
        buffer = objects.logs[NAMESPACE, name, "main"] = LogBuffer()
        buffer.append(log.encode())
        buffer.close()


def _node(node_id: str, name: str, type_: str, phase: str, attempt: int = 0) -> dict[str, Any]:
    node = {"id": node_id, "name": name, "displayName": name, "type": type_, "phase": phase}
    node |= {"templateName": name, "hostNodeName": "node", "startedAt": _time(0)}
    return node | ({"finishedAt": _time(1 + attempt)} if phase in {"Succeeded", "Failed", "Error"} else {})


def _time(minutes: int) -> str:
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@asynccontextmanager
async def world_in(folder: Path) -> AsyncIterator[World]:
    async with surroundings(folder, StackSettings(engine=False)) as around:
        await around.github.create_repository(REPOSITORY)
        made = World(around)
        await made.start()
        try:
            yield made
        finally:
            if made.life:
                await made.kill()


async def once(world: World, sha: str) -> None:
    """Exactly one check-run, one workflow, and each annotation once."""
    [run] = world.runs(sha)
    await world.until(lambda: len(run.annotations) >= 120)
    assert [each["start_line"] for each in run.annotations] == list(range(1, 121))
    assert len(world.workflows()) == 1
    assert len(world.api_calls("POST", "/check-runs")) <= 2
