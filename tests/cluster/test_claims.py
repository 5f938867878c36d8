from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cluster_kit import Requests

from kubeci.cluster.claims import ClusterClaims
from kubeci.cluster.client import Client
from kubeci.cluster.connect import connect
from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, UpstreamError
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.resources import CLAIMS, PODS
from kubeci.model.cache import CacheClaim
from kubeci.model.repository import Repository
from kubeci.workflow.claims import claim_manifest

ROUTE = "/api/v1/namespaces/{namespace}/persistentvolumeclaims"
OF_A_WORKFLOW = {"workflows.argoproj.io/workflow": "build"}


def claim(name: str = "deps", size: str = "1Gi") -> dict[str, Any]:
    return claim_manifest(
        CacheClaim(name, "project", Repository("acme", "widgets", 1), "", size), "ci", "kube-ci"
    )


def pod(
    cluster: LocalCluster, name: str, *volumes: dict[str, Any], labels: dict[str, str] | None = None
) -> None:
    spec = {
        "nodeName": "n1",
        "containers": [{"name": "main", "image": "x"}],
        "volumes": [{"name": f"v{at}", **volume} for at, volume in enumerate(volumes)],
    }
    meta = {"name": name, "namespace": "ci", "labels": OF_A_WORKFLOW if labels is None else labels}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": spec,
        "status": {"phase": "Failed"},
    }
    cluster.objects.create(PODS, "ci", manifest)


def names(cluster: LocalCluster) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.objects.list(PODS, "ci")]


def mount(name: str) -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": name}}


@pytest.fixture
def claims(client: Client) -> ClusterClaims:
    return ClusterClaims(client, page=2)


async def test_a_claim_is_created_read_and_deleted(claims: ClusterClaims, requests: Requests) -> None:
    created = await claims.create(claim())
    assert created["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert await claims.get("ci", "deps") == created
    await claims.delete("ci", "deps")
    with pytest.raises(NotFound):
        await claims.get("ci", "deps")
    assert requests == [
        ("POST", ROUTE, 201),
        ("GET", f"{ROUTE}/{{name}}", 200),
        ("DELETE", f"{ROUTE}/{{name}}", 200),
        ("GET", f"{ROUTE}/{{name}}", 404),
    ]


async def test_refusals(claims: ClusterClaims, cluster: LocalCluster) -> None:
    await claims.create(claim())
    with pytest.raises(Conflict, match="already exists"):
        await claims.create(claim())
    with pytest.raises(NotFound):
        await claims.delete("ci", "nosuch")
    with pytest.raises(Invalid, match="no namespace"):
        await claims.create({"metadata": {}})
    for size in ("0", "lots"):
        with pytest.raises(Invalid):
            await claims.create(claim("bad", size))
    assert [each["metadata"]["name"] for each in cluster.objects.list(CLAIMS, "ci")] == ["deps"]
    created = [asked.query for asked in cluster.requests if asked.method == "POST"]
    assert created == ["fieldValidation=Strict"] * 4


async def test_a_server_without_rights_is_told_which_are_missing(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    cluster.write_kubeconfig(path, cluster.powerless)
    async with connect(kubeconfig=str(path), trust_env=False) as client:
        with pytest.raises(Forbidden, match='cannot create resource "persistentvolumeclaims"'):
            await ClusterClaims(client).create(claim())


async def test_a_list_goes_on_over_its_pages(claims: ClusterClaims, requests: Requests) -> None:
    for at in range(5):
        await claims.create(claim(f"deps-{at}"))
    other = claim("other")
    other["metadata"]["labels"]["repo"] = ""
    await claims.create(other)
    wanted = {"managedBy": "kube-ci", "org": "acme", "repo": "widgets"}
    requests.clear()
    found = await claims.labelled("ci", wanted)
    assert [each["metadata"]["name"] for each in found] == [f"deps-{at}" for at in range(5)]
    assert requests == [("GET", ROUTE, 200)] * 3
    [empty] = await claims.labelled("ci", wanted | {"repo": ""})
    assert empty["metadata"]["name"] == "other"
    assert await claims.labelled("ci", wanted | {"org": "acme2"}) == []


async def test_a_list_that_the_server_forgot_may_be_repeated(
    claims: ClusterClaims, cluster: LocalCluster
) -> None:
    for at in range(3):
        await claims.create(claim(f"deps-{at}"))
    cluster.faults.add("GET", "continue=", status=410)
    with pytest.raises(UpstreamError) as caught:
        await claims.labelled("ci", {"managedBy": "kube-ci"})
    assert caught.value.retryable
    assert not isinstance(caught.value, NotFound)


async def test_the_pods_that_hold_a_claim_go_with_it(claims: ClusterClaims, cluster: LocalCluster) -> None:
    await claims.create(claim())
    pod(cluster, "holds", {"emptyDir": {}}, mount("deps"))
    pod(cluster, "holds-twice", mount("deps"), mount("deps"))
    pod(cluster, "holds-another", mount("deps-2"))
    pod(cluster, "holds-nothing")
    pod(cluster, "no-workflows", mount("deps"), labels={})
    await claims.delete("ci", "deps")
    assert await claims.delete_pods_of("ci", "deps") == 2
    assert names(cluster) == ["holds-another", "holds-nothing", "no-workflows"]
    assert "deletionTimestamp" in (await claims.get("ci", "deps"))["metadata"]
    cluster.objects.delete(PODS, "ci", "no-workflows")
    async with asyncio.timeout(5):
        while cluster.objects.list(CLAIMS, "ci"):
            await asyncio.sleep(0.01)


async def test_a_pod_that_went_by_itself_is_not_counted(claims: ClusterClaims, cluster: LocalCluster) -> None:
    for name in ("a", "b"):
        pod(cluster, name, mount("deps"))
    cluster.faults.add("DELETE", "/pods/a", status=404)
    assert await claims.delete_pods_of("ci", "deps") == 1
    assert names(cluster) == ["a"]
