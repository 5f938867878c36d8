"""The server with Argo's own argo-server beside it, on a real cluster."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from argo_server_program import RealArgoServer, real_argo_server
from given_cluster import RealCluster
from played import FAILING
from real_scene import RealScene, real_scene

from kubeci.cluster.argo_server import ArgoServer
from kubeci.cluster.argo_server_http import trusting
from kubeci.cluster.logs import ClusterPodLogs
from kubeci.errors import NotFound
from kubeci.service.node_logs import NodeLogs
from kubeci.workflow.status import WorkflowState, read_state

pytestmark = pytest.mark.cluster
LOG = "what the step said\n"


@pytest.fixture(scope="module")
def argo(real_cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealArgoServer]:
    with real_argo_server(real_cluster, tmp_path_factory.mktemp("argo-server")) as server:
        yield server


@pytest.fixture
async def ci(real_cluster: RealCluster, argo: RealArgoServer, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene:
        told = {"argo_server": argo.url, "argo_token": argo.token, "argo_ca": argo.authority}
        scene.real = replace(scene.real, options=replace(scene.real.options, **told))
        async with scene.serving():
            yield scene


async def test_a_re_run_retries_the_workflow_that_failed(ci: RealScene) -> None:
    sha = await ci.push(FAILING)
    first = await ci.concluded(sha)
    [before] = await ci.workflows()
    await ci.place.github.rerequest(first.id)
    second = await ci.concluded(sha, count=2)
    assert (first.conclusion, second.conclusion) == ("failure", "failure")
    assert second.id != first.id
    [after] = await ci.workflows()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["startedAt"] > before["status"]["startedAt"]


async def test_a_log_outlives_its_pod_where_argo_archived_it(ci: RealScene, argo: RealArgoServer) -> None:
    await ci.concluded(await ci.push(FAILING))
    [workflow] = await ci.workflows()
    state = read_state(workflow)
    archive = ArgoServer(argo.url, argo.token, trust_env=False, tls=trusting(argo.authority))
    logs = NodeLogs(ClusterPodLogs(ci.place.admin), archive)
    assert "compiling" in await _read(logs, state)
    kubectl = ci.place.cluster.kubectl
    kubectl("delete", "pods", "--selector", f"workflows.argoproj.io/workflow={state.name}")
    with pytest.raises(NotFound, match="is gone"):
        await _read(logs, state)
    outputs = {"artifacts": [{"name": "main-logs", "raw": {"data": LOG}}]}
    patch = {"status": {"nodes": {state.nodes[0].id: {"outputs": outputs}}}}
    kubectl("patch", "workflow", state.name, "--type=merge", "--patch", json.dumps(patch))
    [workflow] = await ci.workflows()
    assert await _read(logs, read_state(workflow)) == LOG
    await archive.aclose()


async def _read(logs: NodeLogs, state: WorkflowState) -> str:
    async with aclosing(logs.read(state, state.nodes[0], "main")) as chunks:
        return b"".join([chunk async for chunk in chunks]).decode()
