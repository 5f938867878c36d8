"""The local argo-server answers as Argo's own does, and both as the published description says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from described import answer_problems
from targets import LOG, SPEC, Target, calling, ended, workflow

from kubeci.cluster.argo_server import ArgoServer
from kubeci.errors import Forbidden, Invalid, NotFound, UpstreamError

MISSING = {"code": 5, "message": 'workflows.argoproj.io "gone" not found'}
THERE = {"name": "there", "template": "greet"}


@pytest.fixture
async def argo(target: Target) -> AsyncIterator[ArgoServer]:
    argo = ArgoServer(target.url, target.token, trust_env=False, tls=target.tls)
    yield argo
    await argo.aclose()


async def _ask(target: Target, method: str, path: str, *, token: str = "", **sent: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or target.token}"}
    async with httpx.AsyncClient(
        base_url=target.url, verify=target.tls or True, trust_env=False, headers=headers, timeout=30
    ) as http:
        return await http.request(method, path, **sent)


ANSWERS: list[tuple[str, str, Any, int, dict[str, Any]]] = [
    # method, path after /api/v1/workflows/{namespace}, body, status, answer
    ("GET", "/gone", None, 404, MISSING),
    ("PUT", "/gone/retry", {}, 404, MISSING),
    ("PUT", "/fine/retry", {}, 400, {"code": 3}),
    ("PUT", "/failed/retry", [], 400, {"code": 3}),
    ("POST", "/lint", {}, 500, {"code": 2, "message": "unable to get a workflow"}),
    ("POST", "/lint", {"workflow": 1}, 400, {"code": 3}),
    ("POST", "/lint", {"workflow": {}}, 500, {"code": 2, "message": "spec.entrypoint is required"}),
    (
        "GET",
        "/gone/log",
        None,
        404,
        {
            "error": {
                "grpc_code": 5,
                "http_code": 404,
                "http_status": "Not Found",
                "message": MISSING["message"],
            }
        },
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "expected"), ANSWERS)
async def test_answers(
    target: Target, method: str, path: str, body: Any, status: int, expected: dict[str, Any]
) -> None:
    path = f"/api/v1/workflows/{target.namespace}{path}"
    answer = await _ask(target, method, path, json=body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert answer_problems(method, path, status, answer.content) == []
    assert answer.json() == answer.json() | expected


ARTIFACTS = [
    ("failed/failed/main-logs", 200, LOG),
    ("failed/failed/lost-logs", 500, "Internal Server Error\n"),
    ("failed/failed/other", 500, "Internal Server Error\n"),
    ("failed/other/main-logs", 500, "Internal Server Error\n"),
    ("failed/failed/a%2Fb", 500, "Internal Server Error\n"),
    ("gone/failed/main-logs", 404, "Not Found\n"),
    ("failed/failed", 400, "Bad Request\n"),
]


@pytest.mark.parametrize(("path", "status", "text"), ARTIFACTS)
async def test_artifacts(target: Target, path: str, status: int, text: str) -> None:
    answer = await _ask(target, "GET", f"/artifacts/{target.namespace}/{path}")
    assert (answer.status_code, answer.content.decode()) == (status, text)
    media = "" if status == 200 else "text/plain; charset=utf-8"
    assert answer.headers["Content-Type"] == media


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/v1/version", 401, {"code": 16}),
        ("/api/v1/workflows/argo/fine", 401, {"code": 16}),
        ("/artifacts/argo/failed/failed/main-logs", 401, None),
    ],
)
async def test_a_stranger(target: Target, path: str, status: int, body: dict[str, int] | None) -> None:
    answer = await _ask(target, "GET", path, token="another")
    assert answer.status_code == status
    assert answer.json()["code"] == body["code"] if body else answer.text == "Unauthorized\n"


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/elsewhere"), ("DELETE", "/api/v1/version")])
async def test_what_is_not_there_is_not_implemented(target: Target, method: str, path: str) -> None:
    answer = await _ask(target, method, path)
    assert (answer.status_code, answer.json()) == (501, {"code": 12, "message": "Not Implemented"})


@pytest.mark.parametrize("path", ["/api/v1/version", "/api/v1/info", "/api/v1/workflows/argo/fine"])
async def test_what_is_answered_is_as_described(target: Target, path: str) -> None:
    answer = await _ask(target, "GET", path)
    assert answer.status_code == 200
    assert answer_problems("GET", path, 200, answer.content) == []


LINTS = [
    (SPEC, ""),
    ({**SPEC, "newer": {"field": 1}}, ""),
    (calling(THERE, who="me"), ""),
    (
        {"entrypoint": "greet", "workflowTemplateRef": {"name": "there"}, "arguments": {}},
        "who was not supplied",
    ),
    ({**SPEC, "entrypoint": "other"}, "template name 'other' undefined"),
    (calling(THERE), "templates.main.steps[0].one templates.greet inputs.parameters.who was not supplied"),
    (
        calling({"name": "gone", "template": "greet"}),
        "templates.main.steps[0].one template reference gone.greet not found",
    ),
    (
        calling({"name": "there", "template": "x"}),
        "templates.main.steps[0].one template reference there.x not found",
    ),
    ({"workflowTemplateRef": {"name": "gone"}}, 'workflowtemplates.argoproj.io "gone" not found'),
    (
        {"workflowTemplateRef": {"name": "gone", "clusterScope": True}},
        'clusterworkflowtemplates.argoproj.io "gone" not found',
    ),
]


@pytest.mark.parametrize(("spec", "words"), LINTS)
async def test_what_a_lint_says(target: Target, argo: ArgoServer, spec: dict[str, Any], words: str) -> None:
    told = await argo.lint(target.namespace, workflow("any", spec, namespace=target.namespace))
    assert words in told if words else told == ""


async def test_a_lint_answers_with_the_workflow(target: Target) -> None:
    path = f"/api/v1/workflows/{target.namespace}/lint"
    asked = {"namespace": target.namespace, "workflow": workflow("any")}
    answer = await _ask(target, "POST", path, json=asked)
    assert answer.status_code == 200
    assert answer.json()["metadata"]["name"] == "any"
    assert answer_problems("POST", path, 200, answer.content) == []


async def test_an_archived_log(target: Target, argo: ArgoServer) -> None:
    async with aclosing(argo.archived_log(target.namespace, "failed", "failed", "main-logs")) as chunks:
        assert b"".join([chunk async for chunk in chunks]).decode() == LOG


@pytest.mark.parametrize(
    ("name", "artifact", "kind"),
    [("gone", "main-logs", NotFound), ("failed", "lost-logs", UpstreamError), ("failed", "..", Invalid)],
)
async def test_an_archived_log_that_is_not_there(
    target: Target, argo: ArgoServer, name: str, artifact: str, kind: type[UpstreamError]
) -> None:
    with pytest.raises(kind):
        async with aclosing(argo.archived_log(target.namespace, name, "failed", artifact)) as chunks:
            await anext(chunks)


async def test_a_token_of_nobody(target: Target) -> None:
    argo = ArgoServer(target.url, "another", trust_env=False, tls=target.tls)
    with pytest.raises(Forbidden):
        await argo.lint(target.namespace, workflow("any"))
    with pytest.raises(Forbidden):
        await argo.retry(target.namespace, "again")
    with pytest.raises(Forbidden):
        async with aclosing(argo.archived_log(target.namespace, "failed", "failed", "main-logs")) as chunks:
            await anext(chunks)
    await argo.aclose()


async def test_a_retry(target: Target, argo: ArgoServer) -> None:
    target.create(ended("retried", "Failed"))
    await argo.retry(target.namespace, "retried")
    assert target.get("retried")["status"].get("startedAt") != "2026-01-01T00:00:00Z"
    with pytest.raises(Invalid, match="Cannot retry a workflow in phase"):
        await argo.retry(target.namespace, "retried")


async def test_a_retry_answers_with_the_workflow(target: Target) -> None:
    path = f"/api/v1/workflows/{target.namespace}/again/retry"
    answer = await _ask(target, "PUT", path, json={})
    assert answer.status_code == 200
    assert "phase" not in answer.json()["status"]
    labels = answer.json()["metadata"]["labels"]
    assert labels["workflows.argoproj.io/action"] == "Retry"
    assert labels["workflows.argoproj.io/actor"]
    assert answer_problems("PUT", path, 200, answer.content) == []
