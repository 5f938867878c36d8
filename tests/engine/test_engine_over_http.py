"""The engine behind its two doors, argo-server and the API server, used as the server does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from engine_stack import Stack

from kubeci.cluster.argo_server import ArgoServer
from kubeci.errors import Invalid
from kubeci.local.argo_server.server import argo_server
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.engine.engine import Engine
from kubeci.local.engine.runner import Limits


@dataclass
class Doors:
    stack: Stack
    argo: ArgoServer
    http: httpx.AsyncClient


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    cluster = LocalCluster()
    limits = Limits(grace_seconds=0.5)
    async with (
        cluster.serving() as url,
        Engine(cluster.objects, folder=tmp_path, isolation="process", limits=limits) as engine,
        argo_server(cluster.objects) as local,
        httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {cluster.admin.token}"},
            verify=False,
            trust_env=False,
        ) as http,
    ):
        argo = ArgoServer(local.url, local.token, trust_env=False)
        yield Doors(Stack(cluster.objects, engine, tmp_path), argo, http)
        await argo.aclose()


def one_step(command: str) -> dict[str, Any]:
    template = {"name": "main", "container": {"image": "any", "command": ["sh", "-c", command]}}
    return {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": [template]}}


async def test_a_retry_and_its_log(doors: Doors) -> None:
    name = doors.stack.submit(one_step("echo tried; exit 1"))
    assert (await doors.stack.finished(name))["status"]["phase"] == "Failed"
    spec = one_step("echo tried; exec sleep 600")["spec"]
    doors.stack.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": spec})
    await doors.argo.retry("ci", name)
    version = int(doors.stack.get(name)["metadata"]["resourceVersion"])
    await doors.stack.until(
        name,
        lambda found: (
            int(found["metadata"]["resourceVersion"]) >= version
            and found["status"].get("nodes", {}).get(name, {}).get("phase") == "Running"
        ),
    )
    await doors.stack.objects.logs["ci", name, "main"].wait(0)
    assert (await doors.http.get(f"/api/v1/namespaces/ci/pods/{name}/log?container=main")).text == "tried\n"
    with pytest.raises(Invalid, match="Cannot retry a workflow in phase Running"):
        await doors.argo.retry("ci", name)
    doors.stack.objects.delete(WORKFLOWS, "ci", name)


async def test_a_running_pod_is_deleted(doors: Doors) -> None:
    name = doors.stack.submit(
        one_step("trap 'echo ended; exit 1' TERM; echo on; while :; do sleep 0.05; done")
    )
    await doors.stack.running(name, name)
    log = doors.stack.objects.logs["ci", name, "main"]
    response = await doors.http.delete(f"/api/v1/namespaces/ci/pods/{name}")
    assert (response.status_code, response.json()["metadata"]["deletionGracePeriodSeconds"]) == (200, 30)
    done = await doors.stack.finished(name)
    assert (done["status"]["phase"], done["status"]["message"]) == ("Error", "pod deleted")
    assert log.pieces()[0][-1].data == b"ended\n"
    assert (await doors.http.get(f"/api/v1/namespaces/ci/pods/{name}")).status_code == 404
