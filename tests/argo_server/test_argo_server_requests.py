"""What kubeci asks argo-server for is as the published description says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress

import httpx
import pytest
from described import answer_problems, operation, request_problems
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from targets import EVERYWHERE, LOG, SPEC, workflow

from kubeci.cluster.argo_server import ArgoServer
from kubeci.errors import UpstreamError
from kubeci.local.argo_server.server import argo_server
from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.serving import serving


class Recorder:
    """Takes requests, and refuses them all."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append((request.method, scope["path"], request.url.query, await request.body()))
        refused: ASGIApp = _refused
        await refused(scope, receive, send)


async def _refused(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 403, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def _log(argo: ArgoServer) -> None:
    async with aclosing(argo.archived_log("argo", "failed", "failed", "main-logs")) as chunks:
        await anext(chunks)


CALLS: list[tuple[Callable[[ArgoServer], Awaitable[object]], str]] = [
    (lambda argo: argo.retry("argo", "failed"), "WorkflowService_RetryWorkflow"),
    (lambda argo: argo.lint("argo", workflow("any", SPEC)), "WorkflowService_LintWorkflow"),
    (_log, "ArtifactService_GetOutputArtifact"),
]


@pytest.mark.parametrize(("call", "name"), CALLS)
async def test_requests(call: Callable[[ArgoServer], Awaitable[object]], name: str) -> None:
    recorder = Recorder()
    async with serving(recorder) as url:
        argo = ArgoServer(url, "token", trust_env=False)
        with suppress(UpstreamError):
            await call(argo)
        await argo.aclose()
    [(method, path, query, body)] = recorder.asked
    assert request_problems(method, path, query, body) == []
    assert (operation(method, path) or {})["operationId"] == name


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "words"),
    [
        ("PUT", "/api/v1/workflows/argo/a/retry", "", b'{"memoized": true}', "memoized"),
        ("PUT", "/api/v1/workflows/argo/a/retry", "dryRun=All", b"{}", "?dryRun is not described"),
        ("POST", "/api/v1/workflows/argo/a/retry", "", b"{}", "is not described"),
        (
            "POST",
            "/api/v1/workflows/argo/lint",
            "",
            b'{"workflow": {"spec": {"templates": 3}}}',
            "spec/templates",
        ),
        ("GET", "/artifacts/argo/a/b/c", "", b"{}", "a body, and none is described"),
    ],
)
def test_the_description_finds_what_is_wrong(
    method: str, path: str, query: str, body: bytes, words: str
) -> None:
    found = request_problems(method, path, query, body)
    assert any(words in each for each in found), found


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/v1/version", 200, b'{"version": "v1"}'),
        ("/api/v1/version", 404, b'{"reason": "gone"}'),
        ("/api/v1/workflows/argo/a", 200, b'{"metadata": {}, "spec": {"newer": 1}}'),
        ("/api/v1/workflows/argo/a/log", 200, b'{"result": {"text": "a"}}\n'),
    ],
)
def test_the_description_finds_answers_that_are_wrong(path: str, status: int, body: bytes) -> None:
    assert len(answer_problems("GET", path, status, body)) >= 1


async def test_a_log_of_the_local_argo_server_is_as_described() -> None:
    objects = Objects()
    objects.create(WORKFLOWS, "argo", EVERYWHERE[0])
    pod = {"metadata": {"name": "failed", "labels": {"workflows.argoproj.io/workflow": "failed"}}, "spec": {}}
    objects.create(PODS, "argo", pod)
    buffer = objects.logs["argo", "failed", "main"] = LogBuffer()
    buffer.append(LOG.encode())
    path = "/api/v1/workflows/argo/failed/log"
    async with argo_server(objects) as server, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{server.url}{path}", headers={"Authorization": f"Bearer {server.token}"})
    assert len(answer.text.splitlines()) == len(LOG.splitlines())
    assert answer_problems("GET", path, 200, answer.content) == []
