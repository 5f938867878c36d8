"""Claims over HTTP: what is refused, how they are found again, and how they go."""

from __future__ import annotations

from typing import Any

import pytest
from local_cluster_kit import Api

from kubeci.local.cluster.resources import PODS

CLAIMS_PATH = "/api/v1/namespaces/ci/persistentvolumeclaims"


def claim(name: str = "cache", **spec: Any) -> dict[str, Any]:
    usual = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "labels": {"managedBy": "kube-ci", "repo": name},
            "annotations": {"kube-ci.qutics.com/repo": name},
        },
        "spec": usual | spec,
    }


@pytest.mark.parametrize(
    ("spec", "status", "words"),
    [
        ({"resources": {"requests": {"storage": "0"}}}, 422, "must be greater than zero"),
        ({"resources": {"requests": {"storage": "-1Gi"}}}, 422, "must be greater than zero"),
        ({"resources": {"requests": {"storage": "1 GB"}}}, 400, "quantities must match"),
        ({"resources": {}}, 422, "spec.resources[storage]: Required value"),
        ({"accessModes": []}, 422, "at least 1 access mode is required"),
        ({"accessModes": ["Sometimes"]}, 422, 'Unsupported value: "Sometimes"'),
        ({"storageClassName": "Not A Class"}, 422, 'spec.storageClassName: Invalid value: "Not A Class"'),
        ({"storageClassName": 1}, 400, "storageClassName"),
        ({"storageClassName": ""}, 201, ""),
        ({"storageClassName": "fast.example"}, 201, ""),
        ({"resources": {"requests": {"storage": "1.5e9"}}}, 201, ""),
    ],
)
async def test_what_is_accepted(api: Api, spec: dict[str, Any], status: int, words: str) -> None:
    response = await api.http.post(CLAIMS_PATH, json=claim(**spec))
    assert response.status_code == status, response.text
    assert words in response.json().get("message", "")


async def test_claims_are_found_by_label_and_keep_their_annotations(api: Api) -> None:
    for name in ("one", "two"):
        assert (await api.http.post(CLAIMS_PATH, json=claim(name))).status_code == 201
    found = await api.http.get(CLAIMS_PATH, params={"labelSelector": "managedBy=kube-ci,repo in (two)"})
    (two,) = found.json()["items"]
    assert two["metadata"]["annotations"] == {"kube-ci.qutics.com/repo": "two"}
    assert two["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


async def test_a_claim_stays_until_the_pods_that_mount_it_are_deleted(api: Api) -> None:
    await api.http.post(CLAIMS_PATH, json=claim())
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "cache"}}]
    spec = {"volumes": volumes, "nodeName": "local", "containers": [{"name": "main"}]}
    pod = {"metadata": {"name": "p"}, "spec": spec, "status": {"phase": "Succeeded"}}
    api.cluster.objects.create(PODS, "ci", pod)
    deleted = await api.http.delete(f"{CLAIMS_PATH}/cache")
    assert deleted.status_code == 200
    terminating = (await api.http.get(f"{CLAIMS_PATH}/cache")).json()
    assert "deletionTimestamp" in terminating["metadata"]
    again = await api.http.post(CLAIMS_PATH, json=claim())
    assert (again.status_code, again.json()["reason"]) == (409, "AlreadyExists")
    (listed,) = (await api.http.get("/api/v1/namespaces/ci/pods")).json()["items"]
    assert listed["spec"]["volumes"] == volumes
    assert (await api.http.delete("/api/v1/namespaces/ci/pods/p")).status_code == 200
    assert (await api.http.get(f"{CLAIMS_PATH}/cache")).status_code == 404
