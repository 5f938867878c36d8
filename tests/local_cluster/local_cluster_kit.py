from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from kubeci.local.cluster.cluster import LocalCluster

WORKFLOWS_PATH = "/apis/argoproj.io/v1alpha1/namespaces/ci/workflows"


class WatchLines:
    """The events of one watch, read one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def event(self) -> tuple[str, Any]:
        event = json.loads(await anext(self._lines))
        return event["type"], event["object"]

    async def seen(self) -> tuple[str, str]:
        kind, obj = await self.event()
        return kind, obj["metadata"].get("name", "")

    async def rest(self) -> list[str]:
        return [line async for line in self._lines]


@dataclass
class Api:
    cluster: LocalCluster
    http: httpx.AsyncClient

    async def create(self, name: str, **metadata: Any) -> Any:
        response = await self.http.post(WORKFLOWS_PATH, json=workflow(name, **metadata))
        assert response.status_code == 201, response.text
        return response.json()

    @asynccontextmanager
    async def watch(self, query: str = "", path: str = WORKFLOWS_PATH) -> AsyncIterator[WatchLines]:
        async with self.http.stream("GET", f"{path}?watch=true&{query}") as response:
            assert response.status_code == 200
            yield WatchLines(response)


def workflow(name: str, **metadata: Any) -> Any:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, **metadata},
        "spec": {"entrypoint": "main"},
    }
