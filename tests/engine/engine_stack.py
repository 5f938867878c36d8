"""A cluster's objects with an engine, and what tests ask of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.engine.engine import Engine

PATIENCE_SECONDS = 20.0


class Stack:
    """A cluster's objects with an engine, and what tests ask of them."""

    def __init__(self, objects: Objects, engine: Engine, folder: Path) -> None:
        self.objects = objects
        self.engine = engine
        self.folder = folder
        self._start = objects.version

    def submit(self, workflow: dict[str, Any]) -> str:
        created = self.objects.create(WORKFLOWS, "ci", workflow)
        return str(created["metadata"]["name"])

    def get(self, name: str) -> dict[str, Any]:
        return self.objects.get(WORKFLOWS, "ci", name)

    def node(self, name: str, display: str) -> dict[str, Any]:
        nodes = self.get(name).get("status", {}).get("nodes", {})
        return next((node for node in nodes.values() if node["displayName"] == display), {})

    async def until(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for change in self.objects.watch(WORKFLOWS, "ci", self._start):
                workflow = change.object
                if workflow["metadata"]["name"] == name and holds(workflow):
                    return workflow
        raise AssertionError("the watch ended")

    async def finished(self, name: str) -> dict[str, Any]:
        return await self.until(name, lambda workflow: "finishedAt" in workflow.get("status", {}))

    async def running(self, name: str, display: str) -> None:
        """Wait until the pod of a node runs and has said something."""
        await self.until(name, lambda workflow: _phase(workflow, display) == "Running")
        pod = self.pod(name, display)
        log = self.objects.logs["ci", pod["metadata"]["name"], "main"]
        async with asyncio.timeout(PATIENCE_SECONDS):
            await log.wait(0)

    def pod(self, name: str, display: str) -> dict[str, Any]:
        node_id = self.node(name, display)["id"]
        return next(
            pod
            for pod in self.objects.list(PODS, "ci")
            if pod["metadata"]["annotations"]["workflows.argoproj.io/node-id"] == node_id
        )

    def log(self, name: str, display: str) -> str:
        pod = self.pod(name, display)
        pieces, _ = self.objects.logs["ci", pod["metadata"]["name"], "main"].pieces()
        return b"".join(piece.data for piece in pieces).decode()

    def changes(self, name: str) -> list[dict[str, Any]]:
        cursor = self.objects.cursor(WORKFLOWS, "ci", self._start)
        found = [change for change in cursor.take() if change.object["metadata"]["name"] == name]
        return [{"type": change.type, "object": change.object} for change in found]


def _phase(workflow: dict[str, Any], display: str) -> str:
    nodes = workflow.get("status", {}).get("nodes", {})
    return next((node["phase"] for node in nodes.values() if node["displayName"] == display), "")
