"""The local argo-server, asked over HTTP; its answers are read by hera's models of Argo's published description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import httpx
import pytest

from kubeci.local.argo_server.server import LocalArgoServer, argo_server
from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import PODS, WORKFLOWS


def hera() -> Any:
    """Give hera's models, which take half a second to load: only to who reads by them."""
    return import_module("hera.workflows.models")


FAILED_NODE = {
    "id": "ci",
    "name": "ci",
    "displayName": "ci",
    "type": "Pod",
    "templateName": "main",
    "phase": "Failed",
}
SPEC = {
    "entrypoint": "main",
    "templates": [{"name": "main", "container": {"image": "any", "command": ["x"]}}],
}


def workflow(phase: str) -> dict[str, Any]:
    status = {"phase": phase, "nodes": {"ci": FAILED_NODE}} if phase == "Failed" else {"phase": phase}
    return {"metadata": {"name": "ci"}, "spec": SPEC, "status": status}


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
async def server(objects: Objects) -> AsyncIterator[LocalArgoServer]:
    async with argo_server(objects) as server:
        yield server


@pytest.fixture
async def http(server: LocalArgoServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False, verify=False) as http:
        yield http


async def test_a_failed_workflow_is_retried(objects: Objects, http: httpx.AsyncClient) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Failed"))
    objects.create(PODS, "ci", {"metadata": {"name": "ci"}, "spec": {}})
    response = await http.put("/api/v1/workflows/ci/ci/retry", json={"name": "ci", "namespace": "ci"})
    assert response.status_code == 200
    assert response.json() == objects.get(WORKFLOWS, "ci", "ci")
    assert "phase" not in response.json()["status"]
    assert objects.list(PODS, "ci") == []
    hera().Workflow(**response.json())


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ("Running", "Cannot retry a workflow in phase Running"),
        (
            "Succeeded",
            "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector",
        ),
    ],
)
async def test_what_has_not_failed_is_refused(
    objects: Objects, http: httpx.AsyncClient, phase: str, message: str
) -> None:
    before = objects.create(WORKFLOWS, "ci", workflow(phase))
    response = await http.put("/api/v1/workflows/ci/ci/retry", json={})
    assert (response.status_code, response.json()) == (400, {"code": 3, "message": message})
    assert objects.get(WORKFLOWS, "ci", "ci") == before


@pytest.mark.parametrize(
    "asked",
    [{"restartSuccessful": True}, {"nodeFieldSelector": "displayName=x"}, {"parameters": ["a=b"]}],
)
async def test_options_that_it_does_not_know_are_refused(
    objects: Objects, http: httpx.AsyncClient, asked: dict[str, Any]
) -> None:
    before = objects.create(WORKFLOWS, "ci", workflow("Failed"))
    response = await http.put("/api/v1/workflows/ci/ci/retry", json=asked)
    (option,) = asked
    message = f"the local argo-server does not know {option}"
    assert (response.status_code, response.json()) == (501, {"code": 12, "message": message})
    assert objects.get(WORKFLOWS, "ci", "ci") == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/api/v1/workflows/ci/gone/retry", "{}", 404, 5),
        ("GET", "/api/v1/workflows/ci/gone", "", 404, 5),
        ("PUT", "/api/v1/workflows/ci/ci/retry", "[", 400, 3),
        ("PUT", "/api/v1/workflows/ci/ci/retry", "[]", 400, 3),
        ("POST", "/api/v1/workflows/ci/lint", '{"workflow": 1}', 400, 3),
        ("POST", "/api/v1/workflows/ci/lint", '{"workflow": {"spec": {"entrypoint": "x"}}}', 500, 2),
        ("GET", "/api/v1/elsewhere", "", 501, 12),
        ("DELETE", "/api/v1/version", "", 501, 12),
    ],
)
async def test_refusals(
    objects: Objects, http: httpx.AsyncClient, method: str, path: str, body: str, status: int, code: int
) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Failed"))
    response = await http.request(method, path, content=body)
    assert response.status_code == status
    assert response.json().keys() == {"code", "message"}
    assert response.json()["code"] == code


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer other", "Basic eDp5", "Bearer é"])
async def test_without_the_token_nothing_is_answered(
    objects: Objects, server: LocalArgoServer, header: str
) -> None:
    before = objects.create(WORKFLOWS, "ci", workflow("Failed"))
    headers = {"Authorization": header.encode()} if header else {}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False, verify=False) as http:
        for method, path in (
            ("GET", "/api/v1/version"),
            ("PUT", "/api/v1/workflows/ci/ci/retry"),
            ("GET", "/nowhere"),
        ):
            response = await http.request(method, path)
            assert (response.status_code, response.json()["code"]) == (401, 16)
    assert objects.get(WORKFLOWS, "ci", "ci") == before
    assert server.token not in repr(server)


async def test_what_is_answered_holds_to_the_description(objects: Objects, http: httpx.AsyncClient) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Failed"))
    assert hera().Version(**(await http.get("/api/v1/version")).json()).version == "v4.1.4"
    hera().InfoResponse(**(await http.get("/api/v1/info")).json())
    found = hera().Workflow(**(await http.get("/api/v1/workflows/ci/ci")).json())
    assert found.status is not None
    assert found.status.phase == "Failed"
    linted = await http.post(
        "/api/v1/workflows/ci/lint", json={"workflow": {"metadata": {"name": "ci"}, "spec": SPEC}}
    )
    assert linted.json()["spec"] == SPEC


def _pod(objects: Objects, name: str, workflow_name: str = "ci") -> LogBuffer:
    labels = {"workflows.argoproj.io/workflow": workflow_name}
    objects.create(PODS, "ci", {"metadata": {"name": name, "labels": labels}, "spec": {}})
    buffer = objects.logs["ci", name, "main"] = LogBuffer()
    return buffer


async def test_logs_come_as_lines_of_json(objects: Objects, http: httpx.AsyncClient) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Running"))
    for name in ("one", "two"):
        _pod(objects, name).append(f"{name}\n\nünd\n".encode())
    _pod(objects, "other", "other").append(b"not ours\n")
    log = await http.get("/api/v1/workflows/ci/ci/log", params={"podName": "two"})
    entries = [json.loads(line)["result"] for line in log.text.splitlines()]
    assert [hera().V1alpha1LogEntry(**entry).content for entry in entries] == ["two", "", "ünd"]
    assert {entry["podName"] for entry in entries} == {"two"}
    log = await http.get("/api/v1/workflows/ci/ci/log")
    assert [json.loads(line)["result"]["podName"] for line in log.text.splitlines()] == ["one"] * 3 + [
        "two"
    ] * 3
    for query in ({"podName": "other"}, {"logOptions.container": "wait"}):
        assert (await http.get("/api/v1/workflows/ci/ci/log", params=query)).text == ""


async def test_a_followed_log_ends_with_the_container(objects: Objects, http: httpx.AsyncClient) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Running"))
    buffer = _pod(objects, "one")
    buffer.append(b"first\n")
    query = {"podName": "one", "logOptions.follow": "true"}
    async with asyncio.timeout(5), http.stream("GET", "/api/v1/workflows/ci/ci/log", params=query) as log:
        lines = log.aiter_lines()
        assert json.loads(await anext(lines))["result"]["content"] == "first"
        buffer.append(b"second\n")
        assert json.loads(await anext(lines))["result"]["content"] == "second"
        buffer.close()
        assert [line async for line in lines] == []
