from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from targets import EVERYWHERE, Target, written

from kubeci.cluster.argo_server_http import trusting
from kubeci.local.argo_server.server import argo_server
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOW_TEMPLATES, WORKFLOWS
from kubeci.model.json import JsonObject


@pytest.fixture(scope="module", params=["local", pytest.param("real", marks=pytest.mark.cluster)])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give each argo-server with the workflows of `EVERYWHERE`."""
    if request.param == "local":
        with _local() as found:
            yield found
        return
    cluster = request.getfixturevalue("real_cluster")
    from argo_server_program import real_argo_server  # noqa: PLC0415 - it lies beside the real cluster

    for manifest in EVERYWHERE:
        cluster.kubectl.create(written(manifest))
    with real_argo_server(cluster, tmp_path_factory.mktemp("argo-server")) as server:
        yield Target(
            server.url,
            cluster.namespace,
            lambda manifest: cluster.kubectl.create(written(manifest)),
            lambda name: json.loads(cluster.kubectl("get", "workflow", name, "--output=json")),
            server.token,
            trusting(server.authority),
        )
    for manifest in EVERYWHERE:
        cluster.kubectl("delete", manifest["kind"], manifest["metadata"]["name"])


@contextmanager
def _local() -> Iterator[Target]:
    """Run the local argo-server in a thread of its own, since tests have an event loop each."""
    objects = Objects()

    def create(manifest: JsonObject) -> None:
        kind = {"Workflow": WORKFLOWS, "WorkflowTemplate": WORKFLOW_TEMPLATES}[manifest["kind"]]
        objects.create(kind, "argo", manifest)

    for manifest in EVERYWHERE:
        create(manifest)
    ready, found = threading.Event(), list[Target]()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        end = asyncio.Event()
        async with argo_server(objects) as server:
            found.append(
                Target(
                    server.url,
                    "argo",
                    create,
                    lambda name: objects.get(WORKFLOWS, "argo", name),
                    server.token,
                )
            )
            stop.append((asyncio.get_running_loop(), end))
            ready.set()
            await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield found[0]
    finally:
        for loop, end in stop:
            loop.call_soon_threadsafe(end.set)
        thread.join(10)
