"""The official client, unchanged, against the local cluster."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client, config

from kubeci.local.cluster.cluster import LocalCluster

WORKFLOWS = ("argoproj.io", "v1alpha1", "ci", "workflows")
WORKFLOW = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "ci-"},
    "spec": {},
}


@pytest.fixture
async def connected(tmp_path: Path) -> AsyncIterator[Any]:
    cluster = LocalCluster()
    async with cluster.serving():
        path = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        configuration = client.Configuration()
        load: Any = config.load_kube_config
        await load(config_file=str(path), client_configuration=configuration)
        async with client.ApiClient(configuration) as connection:
            yield connection


async def test_workflows_as_plain_objects(connected: Any) -> None:
    api: Any = client.CustomObjectsApi(connected)
    created = await api.create_namespaced_custom_object(*WORKFLOWS, WORKFLOW, field_validation="Strict")
    name = created["metadata"]["name"]
    patched = await api.patch_namespaced_custom_object(
        *WORKFLOWS, name, {"spec": {"shutdown": "Stop"}}, _content_type="application/merge-patch+json"
    )
    assert patched["spec"] == {"shutdown": "Stop"}
    replaced = await api.replace_namespaced_custom_object(
        *WORKFLOWS, name, patched | {"status": {"phase": "Failed"}}
    )
    assert replaced["metadata"]["generation"] == 3
    listed = await api.list_namespaced_custom_object(*WORKFLOWS, limit=5)
    assert [item["metadata"]["name"] for item in listed["items"]] == [name]
    await api.delete_namespaced_custom_object(*WORKFLOWS, name)
    with pytest.raises(client.ApiException) as refused:
        await api.get_namespaced_custom_object(*WORKFLOWS, name)
    assert (refused.value.status, json.loads(refused.value.body or "")["reason"]) == (404, "NotFound")


async def test_a_watch_read_line_by_line(connected: Any) -> None:
    api: Any = client.CustomObjectsApi(connected)
    created = await api.create_namespaced_custom_object(*WORKFLOWS, WORKFLOW)
    response = await api.list_namespaced_custom_object_without_preload_content(
        *WORKFLOWS, watch=True, resource_version="0", timeout_seconds=60, allow_watch_bookmarks=True
    )
    assert json.loads(await response.content.readline()) == {"type": "ADDED", "object": created}
    response.close()


async def test_pods_logs_claims_leases_and_reviews(connected: Any) -> None:
    core: Any = client.CoreV1Api(connected)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "main"}]},
    }
    assert (await core.create_namespaced_pod("ci", pod)).status.phase == "Pending"
    assert [item.metadata.name for item in (await core.list_namespaced_pod("ci")).items] == ["p"]
    leases: Any = client.CoordinationV1Api(connected)
    lease = {"metadata": {"name": "l"}, "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {}}
    assert (await leases.create_namespaced_lease("ci", lease)).metadata.uid
    reviews: Any = client.AuthorizationV1Api(connected)
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "ci"}}}
    answer = await reviews.create_self_subject_access_review(review)
    assert answer.status.allowed
    assert (await client.VersionApi(connected).get_code()).minor == "36"
