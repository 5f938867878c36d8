from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from local_cluster_kit import WORKFLOWS_PATH, Api, workflow

from kubeci.local.cluster.call import BODY_LIMIT
from kubeci.local.cluster.resources import PODS, WORKFLOWS

MERGE = {"Content-Type": "application/merge-patch+json"}


async def _names(api: Api, query: str = "") -> tuple[list[str], Any]:
    response = await api.http.get(f"{WORKFLOWS_PATH}?{query}")
    assert response.status_code == 200, response.text
    found = response.json()
    return [item["metadata"]["name"] for item in found["items"]], found["metadata"]


async def test_pages_show_the_state_of_the_first_one(api: Api) -> None:
    for name in "abcde":
        await api.create(name)
    names, first = await _names(api, "limit=2")
    assert (names, first["remainingItemCount"]) == (["a", "b"], 3)
    await api.http.delete(f"{WORKFLOWS_PATH}/c")
    await api.create("bb")
    names, second = await _names(api, f"limit=2&continue={first['continue']}")
    assert (names, second["resourceVersion"]) == (["c", "d"], first["resourceVersion"])
    names, third = await _names(api, f"limit=2&continue={second['continue']}")
    assert (names, third["continue"]) == (["e"], "")


async def test_a_page_whose_history_is_gone_offers_to_go_on_with_today(api: Api) -> None:
    for name in "abc":
        await api.create(name)
    _, first = await _names(api, "limit=2")
    await api.create("bb")
    api.cluster.objects.compact()
    refused = await api.http.get(f"{WORKFLOWS_PATH}?limit=2&continue={first['continue']}")
    assert refused.status_code == 410
    names, rest = await _names(api, f"limit=2&continue={refused.json()['metadata']['continue']}")
    assert (names, rest["resourceVersion"]) == (["bb", "c"], str(api.cluster.objects.version))


async def test_pages_of_all_namespaces(api: Api) -> None:
    for namespace, name in (("ci", "b"), ("other", "a"), ("other", "b")):
        api.cluster.objects.create(PODS, namespace, {"metadata": {"name": name}})
    found, token = [], ""
    while True:
        page = (await api.http.get(f"/api/v1/pods?limit=1&continue={token}")).json()
        assert all("kind" not in item for item in page["items"])
        found += [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert found == [("ci", "b"), ("other", "a"), ("other", "b")]


async def test_an_exact_version_is_listed_as_it_was(api: Api) -> None:
    created = await api.create("a")
    await api.create("b")
    version = created["metadata"]["resourceVersion"]
    names, metadata = await _names(api, f"resourceVersion={version}&resourceVersionMatch=Exact")
    assert (names, metadata["resourceVersion"]) == (["a"], version)
    assert (await _names(api, f"resourceVersion={version}"))[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("method", "path", "send", "code", "reason"),
    [
        ("PUT", "/a", {"json": workflow("a")}, 422, "Invalid"),  # no resourceVersion
        ("PUT", "/a", {"json": workflow("b")}, 400, "BadRequest"),
        ("PUT", "/nosuch", {"json": workflow("nosuch")}, 404, "NotFound"),
        ("PUT", "/a", {"json": workflow("a", namespace="other")}, 400, "BadRequest"),
        ("PUT", "/a", {"json": []}, 400, "BadRequest"),
        ("POST", "", {"json": {**workflow("c"), "kind": "Pod"}}, 422, "Invalid"),
        ("POST", "", {"json": {"metadata": {"name": "c"}}}, 400, "BadRequest"),
        (
            "POST",
            "",
            {"content": "a: b", "headers": {"Content-Type": "text/yaml"}},
            415,
            "UnsupportedMediaType",
        ),
        ("POST", "", {"content": b" " * (BODY_LIMIT + 1)}, 413, "RequestEntityTooLarge"),
        ("POST", "?dryRun=Some", {"json": workflow("c")}, 422, "Invalid"),
        ("POST", "?fieldValidation=Odd", {"json": workflow("c")}, 422, "Invalid"),
        ("PATCH", "/a", {"json": 1, "headers": MERGE}, 400, "BadRequest"),
        ("PATCH", "/a", {"json": {"metadata": "x"}, "headers": MERGE}, 400, "BadRequest"),
        ("PATCH", "/a", {"json": {"metadata": {"name": "b"}}, "headers": MERGE}, 400, "BadRequest"),
        ("PATCH", "/a", {"json": {"metadata": {"labels": {"a": "?"}}}, "headers": MERGE}, 422, "Invalid"),
        ("DELETE", "/a?propagationPolicy=Sideways", {}, 422, "Invalid"),
        ("GET", "?limit=x", {}, 400, "BadRequest"),
        ("GET", "?continue=e30", {}, 400, "BadRequest"),
        ("GET", "?fieldSelector=x", {}, 400, "BadRequest"),
    ],
)
async def test_refusals(api: Api, method: str, path: str, send: Any, code: int, reason: str) -> None:
    await api.create("a")
    response = await api.http.request(method, f"{WORKFLOWS_PATH}{path}", **send)
    assert (response.status_code, response.json()["reason"], response.json()["code"]) == (code, reason, code)
    assert api.cluster.objects.version == 2


async def test_a_resource_version_of_many_digits(api: Api) -> None:
    response = await api.http.get(f"{WORKFLOWS_PATH}?resourceVersion={'9' * 5000}")
    assert response.status_code == 400
    assert response.json()["message"].endswith("value out of range")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d"', "\N{REPLACEMENT CHARACTER}"),
        (b'"\xff"', "\N{REPLACEMENT CHARACTER}"),
    ],
)
async def test_what_is_no_unicode_is_replaced(api: Api, text: bytes, stored: str) -> None:
    body = json.dumps(workflow("a", annotations={"a": "?"})).encode().replace(b'"?"', text)
    response = await api.http.post(WORKFLOWS_PATH, content=body)
    assert response.json()["metadata"]["annotations"] == {"a": stored}


async def test_warnings_that_are_no_header(api: Api) -> None:
    body = workflow("a") | {"spec": {"entrypoint": "a", "\u00fc": 1, "x\n": 2}}
    response = await api.http.post(WORKFLOWS_PATH, json=body)
    assert (response.status_code, response.json()["spec"]) == (201, {"entrypoint": "a"})
    assert [value for key, value in response.headers.raw if key.lower() == b"warning"] == [
        '299 - "unknown field \\"spec.\u00fc\\""'.encode()
    ]


async def test_an_object_larger_than_etcd_takes(api: Api) -> None:
    body = workflow("a") | {"spec": {"entrypoint": "a" * 1_600_000}}
    response = await api.http.post(WORKFLOWS_PATH, json=body)
    assert (response.status_code, response.json()["message"]) == (500, "etcdserver: request is too large")
    assert (await api.http.get(f"{WORKFLOWS_PATH}/a")).status_code == 404


@pytest.mark.parametrize(
    ("path", "kind", "spec"),
    [
        ("pods", "Pod", []),
        ("pods", "Pod", {"containers": {}}),
        ("pods", "Pod", {"containers": [{"name": 1}]}),
        ("pods", "Pod", {"volumes": ["x"]}),
        ("persistentvolumeclaims", "PersistentVolumeClaim", {"accessModes": "ReadWriteOnce"}),
        ("persistentvolumeclaims", "PersistentVolumeClaim", {"resources": {"requests": 1}}),
        ("persistentvolumeclaims", "PersistentVolumeClaim", {"resources": {"requests": {"storage": [1]}}}),
    ],
)
async def test_specs_of_another_shape_cannot_be_read(api: Api, path: str, kind: str, spec: Any) -> None:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    response = await api.http.post(f"/api/v1/namespaces/ci/{path}", json=body)
    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")


async def test_a_json_patch(api: Api) -> None:
    await api.create("a", labels={"x/y": "1"})
    steps = [
        {"op": "test", "path": "/metadata/labels/x~1y", "value": "1"},
        {"op": "replace", "path": "/metadata/labels/x~1y", "value": "2"},
        {"op": "add", "path": "/spec/imagePullSecrets", "value": [{"name": "1"}]},
        {"op": "add", "path": "/spec/imagePullSecrets/-", "value": {"name": "3"}},
        {"op": "add", "path": "/spec/imagePullSecrets/1", "value": {"name": "2"}},
        {"op": "remove", "path": "/spec/entrypoint"},
    ]
    headers = {"Content-Type": "application/json-patch+json"}
    patched = (await api.http.patch(f"{WORKFLOWS_PATH}/a", json=steps, headers=headers)).json()
    assert patched["metadata"]["labels"] == {"x/y": "2"}
    assert patched["spec"] == {"imagePullSecrets": [{"name": "1"}, {"name": "2"}, {"name": "3"}]}


async def test_what_a_client_cannot_change_stays(api: Api) -> None:
    created = await api.create("a")
    sent = {
        **created,
        "metadata": {**created["metadata"], "generation": 9, "selfLink": "x"},
    }
    replaced = (await api.http.put(f"{WORKFLOWS_PATH}/a", json={**sent, "spec": {"entrypoint": "b"}})).json()
    version = {"generation": 2, "resourceVersion": "3"}
    assert replaced == {**created, "metadata": created["metadata"] | version, "spec": {"entrypoint": "b"}}


async def test_dry_runs_change_nothing(api: Api) -> None:
    created = await api.create("a")
    patch = {"json": {"spec": {"suspend": True}}, "headers": MERGE}
    for method, send in (("PATCH", patch), ("PUT", {"json": created | {"spec": {}}}), ("DELETE", {})):
        response = await api.http.request(method, f"{WORKFLOWS_PATH}/a?dryRun=All", **send)
        assert response.status_code == 200
    assert api.cluster.objects.get(WORKFLOWS, "ci", "a") == created


async def test_a_foreground_deletion_answers_with_the_object(api: Api) -> None:
    owner = await api.create("a")
    reference = {k: owner[k] for k in ("apiVersion", "kind")} | {"name": "a", "uid": owner["metadata"]["uid"]}
    pod = {"metadata": {"name": "p", "ownerReferences": [reference]}, "spec": {"nodeName": "n"}}
    api.cluster.objects.create(PODS, "ci", pod)
    response = await api.http.request(
        "DELETE", f"{WORKFLOWS_PATH}/a", json={"propagationPolicy": "Foreground"}
    )
    assert response.json()["metadata"]["finalizers"] == ["foregroundDeletion"]
    gone = await api.http.request("DELETE", "/api/v1/namespaces/ci/pods/p", json={"gracePeriodSeconds": 0})
    assert gone.json()["kind"] == "Pod"
    assert (await api.http.get(f"{WORKFLOWS_PATH}/a")).status_code == 404


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/apis", 200),
        ("/api", 200),
        ("/api/v1", 200),
        ("/apis/argoproj.io/v1alpha1", 200),
        ("/nosuch", 404),
        ("/apis/argoproj.io/v1alpha1/namespaces/ci/workflowtemplates", 200),
    ],
)
async def test_other_paths(api: Api, path: str, code: int) -> None:
    assert (await api.http.get(path)).status_code == code


async def test_every_request_is_noted(api: Api) -> None:
    await api.http.get(f"{WORKFLOWS_PATH}?limit=1")
    await api.http.get(WORKFLOWS_PATH, headers={"Authorization": "Basic x"})
    noted = [(a.method, a.path, a.query, a.user, a.status) for a in api.cluster.requests]
    assert noted == [("GET", WORKFLOWS_PATH, "limit=1", "admin", 200), ("GET", WORKFLOWS_PATH, "", "", 401)]


@pytest.mark.parametrize(
    ("status", "reason", "headers"),
    [
        (409, "Conflict", {}),
        (410, "Expired", {}),
        (429, "TooManyRequests", {"Retry-After": "1"}),
        (500, "InternalError", {}),
    ],
)
async def test_faults_happen_as_often_as_said(
    api: Api, status: int, reason: str, headers: dict[str, str]
) -> None:
    api.cluster.faults.add("GET", "workflows.*limit=1", status=status, times=2)
    answers = [await api.http.get(f"{WORKFLOWS_PATH}?limit=1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["reason"] == reason
    assert {key: answers[0].headers.get(key) for key in headers} == headers


async def test_a_dropped_request_gets_no_answer(api: Api) -> None:
    api.cluster.faults.add("*", WORKFLOWS_PATH, drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.create("a")
    assert [asked.status for asked in api.cluster.requests] == [0]
    await api.create("a")


async def test_a_delay_comes_before_the_usual_answer(api: Api) -> None:
    api.cluster.faults.add("GET", WORKFLOWS_PATH, delay_seconds=0.1)
    start = asyncio.get_running_loop().time()
    assert (await api.http.get(WORKFLOWS_PATH)).status_code == 200
    assert asyncio.get_running_loop().time() - start >= 0.1


async def test_an_uppercase_pod_name_is_refused_as_recorded(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ci-Deploy"}, "spec": {}}
    response = await api.http.post("/api/v1/namespaces/ci/pods", json=body)
    assert response.json()["message"].startswith(
        'Pod "ci-Deploy" is invalid: metadata.name: Invalid value: "ci-Deploy": a'
    )
    assert response.json()["details"]["kind"] == "Pod"
