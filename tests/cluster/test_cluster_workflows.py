from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
from cluster_kit import Requests, until, workflow

from kubeci.cluster.client import Client
from kubeci.cluster.connect import connect
from kubeci.cluster.logs import CHUNK_BYTES, ClusterPodLogs
from kubeci.cluster.workflows import ArgoWorkflows
from kubeci.errors import ConfigurationError, Conflict, Forbidden, Invalid, NotFound, UpstreamError
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.faults import FaultOptions
from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.resources import PODS
from kubeci.model.json import JsonObject


class AnyFields:
    """The schema of Argo's minimal CRDs."""

    def problems(self, _: JsonObject) -> tuple[()]:
        return ()


@pytest.fixture
def workflows(client: Client) -> ArgoWorkflows:
    return ArgoWorkflows(client)


async def test_a_workflow_is_kept_whole(
    workflows: ArgoWorkflows, cluster: LocalCluster, requests: Requests
) -> None:
    cluster.schema = AnyFields()
    manifest = workflow()
    future = {"big": 2**60, "text": "ü\u2028", "list": [1, 2.5, True], "empty": {}}
    manifest["spec"]["futureField"] = future
    created = await workflows.create(manifest)
    assert created["metadata"]["uid"]
    assert created["spec"]["futureField"] == future
    assert await workflows.get("ci", "build") == created
    assert requests == [
        ("POST", "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows", 201),
        ("GET", "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows/{name}", 200),
    ]


async def test_what_the_cluster_would_drop_is_refused(workflows: ArgoWorkflows) -> None:
    manifest = workflow()
    manifest["spec"]["futureField"] = 1
    manifest["spec"]["templates"][0]["container"]["comand"] = ["typo"]
    with pytest.raises(Invalid, match=r'"spec.futureField".*"spec.templates\[0\].container.comand"'):
        await workflows.create(manifest)
    with pytest.raises(NotFound):
        await workflows.get("ci", "build")


async def test_stop_and_annotate(workflows: ArgoWorkflows) -> None:
    await workflows.create(workflow())
    await workflows.stop("ci", "build")
    await workflows.annotate("ci", "build", {"a/b": "1", "c": "2"})
    await workflows.annotate("ci", "build", {"c": "3"})
    found = await workflows.get("ci", "build")
    assert found["spec"]["shutdown"] == "Stop"
    assert found["spec"]["entrypoint"] == "main"
    assert found["metadata"]["annotations"] == {"a/b": "1", "c": "3"}


async def test_refusals(workflows: ArgoWorkflows) -> None:
    await workflows.create(workflow())
    with pytest.raises(Conflict, match="already exists"):
        await workflows.create(workflow())
    with pytest.raises(NotFound):
        await workflows.get("ci", "nosuch")
    with pytest.raises(NotFound):
        await workflows.stop("ci", "nosuch")
    with pytest.raises(Invalid):
        await workflows.create(workflow("Not A Name"))
    with pytest.raises(Invalid, match="no namespace"):
        await workflows.create({"metadata": {}})


@pytest.mark.parametrize("name", ["", ".", "..", "a/../../b?x=1#y"])
async def test_a_name_is_one_segment(workflows: ArgoWorkflows, name: str) -> None:
    with pytest.raises(Invalid, match="empty or dots"):
        await workflows.get("ci", name)
    with pytest.raises(NotFound):
        await workflows.get("ci", "b?x=1#y")


async def test_nobody_we_know(cluster: LocalCluster, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    cluster.write_kubeconfig(path, cluster.powerless)
    async with connect(kubeconfig=str(path), trust_env=False) as client:
        with pytest.raises(Forbidden, match="cannot create resource"):
            await ArgoWorkflows(client).create(workflow())
    async with connect(master=cluster.url, trust_env=False) as client:
        with pytest.raises(Forbidden, match="401"):
            await ArgoWorkflows(client).get("ci", "build")


async def test_faults_are_told_with_whether_trying_again_helps(
    workflows: ArgoWorkflows, cluster: LocalCluster, requests: Requests
) -> None:
    # aiohttp itself sends a read a second time when a connection that was kept open breaks.
    for how in (FaultOptions(status=503), FaultOptions(drop=True, times=2)):
        cluster.faults.add("GET", "/workflows", **how)
        with pytest.raises(UpstreamError) as caught:
            await workflows.get("ci", "build")
        assert caught.value.retryable
    assert [status for _, _, status in requests] == [503, 0]


async def test_the_address_wins_over_the_file(cluster: LocalCluster, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    cluster.write_kubeconfig(path)
    path.write_text(path.read_text().replace(cluster.url, "http://127.0.0.1:1"))
    async with connect(kubeconfig=str(path), master=f"{cluster.url}/", trust_env=False) as client:
        with pytest.raises(NotFound):
            await ArgoWorkflows(client).get("ci", "build")
    async with connect(kubeconfig=str(path), trust_env=False) as client:
        with pytest.raises(UpstreamError, match="connection to the cluster failed"):
            await ArgoWorkflows(client).get("ci", "build")


@pytest.mark.parametrize("content", [None, "", "a: [", "a: b", "[]"])
async def test_a_bad_kubeconfig_is_one_clear_line(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=f"kubeconfig {path}"):
        async with connect(kubeconfig=str(path)):
            pass


async def test_outside_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigurationError, match="service account"):
        async with connect():
            pass


async def test_a_plugin_s_token_is_renewed(cluster: LocalCluster, tmp_path: Path) -> None:
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    answer, asked, path = tmp_path / "answer", tmp_path / "asked", tmp_path / "kubeconfig"
    plugin = {
        "command": "sh",
        "args": ["-c", 'echo >> "$1"; cat "$0"', str(answer), str(asked)],
        "apiVersion": credential["apiVersion"],
    }
    path.write_text(
        json.dumps(cluster.kubeconfig() | {"users": [{"name": "admin", "user": {"exec": plugin}}]})
    )
    answer.write_text(json.dumps(credential | {"status": {"token": "old"}}))
    async with connect(kubeconfig=str(path), trust_env=False, refresh_seconds=0.05) as client:
        with pytest.raises(Forbidden):
            await ArgoWorkflows(client).get("ci", "build")
        answer.write_text("broken")
        broken_since = asked.stat().st_size
        await until(lambda: asked.stat().st_size >= broken_since + 3)
        answer.write_text(json.dumps(credential | {"status": {"token": cluster.admin.token}}))
        async with asyncio.timeout(8):
            while True:
                with suppress(Forbidden):
                    await ArgoWorkflows(client).create(workflow())
                    break


def pod(name: str, *, node: str = "n1", **state: Any) -> dict[str, Any]:
    statuses = [
        {"name": "main", "ready": False, "restartCount": 0, "image": "", "imageID": "", "state": state}
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "ci"},
        "spec": {"containers": [{"name": "main", "image": "x"}]} | ({"nodeName": node} if node else {}),
        "status": {"phase": "Pending", "containerStatuses": statuses if state else []},
    }


def write(cluster: LocalCluster, name: str, log: bytes) -> None:
    buffer = LogBuffer(limit=len(log))
    buffer.append(log)
    buffer.close()
    cluster.objects.logs["ci", name, "main"] = buffer


async def read(client: Client, name: str, container: str = "main") -> bytes:
    async with aclosing(ClusterPodLogs(client).read("ci", name, container)) as chunks:
        parts = [chunk async for chunk in chunks]
    assert all(0 < len(part) <= CHUNK_BYTES for part in parts)
    return b"".join(parts)


async def test_logs(client: Client, cluster: LocalCluster) -> None:
    cluster.objects.create(PODS, "ci", pod("p"))
    log = bytes(range(256)) * 4000
    write(cluster, "p", log)
    assert await read(client, "p") == log
    with pytest.raises(NotFound):
        await read(client, "nosuch")
    with pytest.raises(Invalid, match="container nosuch is not valid") as caught:
        await read(client, "p", "nosuch")
    assert not caught.value.retryable


async def test_logs_that_are_not_there_yet(client: Client, cluster: LocalCluster) -> None:
    cluster.objects.create(PODS, "ci", pod("unscheduled", node=""))
    assert await read(client, "unscheduled") == b""
    cluster.objects.create(PODS, "ci", pod("waiting", waiting={"reason": "ContainerCreating"}))
    with pytest.raises(Invalid, match="is waiting to start") as caught:
        await read(client, "waiting")
    assert caught.value.retryable


async def test_a_log_may_be_left_early(client: Client, cluster: LocalCluster) -> None:
    cluster.objects.create(PODS, "ci", pod("p"))
    write(cluster, "p", b"x" * 5_000_000)
    async with aclosing(ClusterPodLogs(client).read("ci", "p", "main")) as chunks:
        assert await anext(chunks)
    assert (await ArgoWorkflows(client).create(workflow()))["metadata"]["name"] == "build"
