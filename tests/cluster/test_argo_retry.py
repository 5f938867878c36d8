"""Retries through argo-server, against the local one and against one that misbehaves."""

from __future__ import annotations

import json
import logging

import pytest
from argo_server_kit import TOKEN, Odd, dropped, in_json, workflow
from cluster_kit import PLAIN
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kubeci.cluster.argo_server import ArgoServer, Limits
from kubeci.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.local.argo_server.server import LocalArgoServer
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.serving import serving


async def test_a_retry(objects: Objects, argo: ArgoServer) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Failed"))
    await argo.retry("ci", "ci")
    assert "phase" not in objects.get(WORKFLOWS, "ci", "ci")["status"]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("gone", NotFound, 'workflows.argoproj.io "gone" not found'),
        ("ci", Invalid, "Cannot retry a workflow in phase Running"),
        ("..", Invalid, "is empty or dots"),
        ("", Invalid, "is empty or dots"),
        ("a/../../b", UpstreamError, "Not Implemented"),
        ("{x}", NotFound, 'workflows.argoproj.io "{x}" not found'),
    ],
)
async def test_a_retry_that_is_refused(
    objects: Objects, argo: ArgoServer, name: str, kind: type[UpstreamError], words: str
) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Running"))
    with pytest.raises(kind) as caught:
        await argo.retry("ci", name)
    assert words in str(caught.value)
    assert not caught.value.retryable


async def test_an_answer_that_is_lost(objects: Objects, local: LocalArgoServer, argo: ArgoServer) -> None:
    objects.create(WORKFLOWS, "ci", workflow("Failed"))
    local.faults.add("PUT", "/retry", drop=True, after=True)
    with pytest.raises(UpstreamError) as caught:
        await argo.retry("ci", "ci")
    assert caught.value.retryable
    assert "phase" not in objects.get(WORKFLOWS, "ci", "ci")["status"], "it was done all the same"


async def test_an_argo_server_that_is_busy(
    objects: Objects, local: LocalArgoServer, argo: ArgoServer
) -> None:
    before = objects.create(WORKFLOWS, "ci", workflow("Failed"))
    local.faults.add("PUT", "/retry", status=503)
    with pytest.raises(UpstreamError) as caught:
        await argo.retry("ci", "ci")
    assert (caught.value.status, caught.value.retryable) == (503, True)
    assert objects.get(WORKFLOWS, "ci", "ci") == before
    await argo.retry("ci", "ci")


async def test_a_token_that_is_not_accepted(local: LocalArgoServer) -> None:
    argo = ArgoServer(local.url, TOKEN, trust_env=False)
    with pytest.raises(Forbidden) as caught:
        await argo.retry("ci", "ci")
    await argo.aclose()
    assert TOKEN not in f"{caught.value!r} {argo!r}"


@pytest.mark.parametrize(
    ("answer", "kind", "retryable"),
    [
        (in_json(409, '{"code": 6, "message": "changed"}'), Conflict, False),
        (in_json(403, '{"code": 7, "message": "no"}'), Forbidden, False),
        (in_json(429, '{"code": 8, "message": "slow"}'), RateLimited, True),
        (in_json(500, '{"code": 13, "message": "no"}'), UpstreamError, True),
        (in_json(500, '{"no": "message"}'), UpstreamError, True),
        (in_json(503, "[]"), UpstreamError, True),
        (Response(b"\xff" * 200_000, 502), UpstreamError, True),
        (Response("", 302, {"Location": "/login"}), UpstreamError, False),
        (Response("<html>log in", 200), UpstreamError, False),
        (dropped, UpstreamError, True),
    ],
)
async def test_an_argo_server_that_misbehaves(
    answer: ASGIApp, kind: type[UpstreamError], retryable: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    odd = Odd(answer)
    async with serving(odd) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        with pytest.raises(kind) as caught:
            await argo.retry("ci", "ci")
        await argo.aclose()
    assert caught.value.retryable is retryable
    assert len(odd.asked) == 1, "what may have been done is not asked again"
    assert TOKEN not in str(caught.value)
    assert len(str(caught.value)) < 3000
    assert TOKEN not in caplog.text


async def test_a_retry_that_is_refused_is_told_to_anybody() -> None:
    words = "Cannot retry a workflow in phase Running"
    async with serving(in_json(400, json.dumps({"code": 9, "message": words}))) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        with pytest.raises(Invalid) as caught:
            await argo.retry("ci", "ci")
        await argo.aclose()
    assert words in caught.value.public


async def test_what_is_asked_under_a_path() -> None:
    odd = Odd(in_json(200, '{"metadata": {}, "spec": {"newer": 1, "templates": "of another shape"}}'))
    async with serving(odd) as url:
        argo = ArgoServer(f"{url}/argo", f"Bearer {TOKEN}\n", trust_env=False, tls=PLAIN)
        await argo.retry("ci", "a b")
        await argo.aclose()
    method, path, authorization, body = odd.asked[0]
    assert (method, path) == ("PUT", "/argo/api/v1/workflows/ci/a%20b/retry")
    assert authorization == f"Bearer {TOKEN}"
    assert body == b"{}"


async def test_an_argo_server_that_does_not_answer() -> None:
    async def silent(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async with serving(silent) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=Limits(retry_seconds=0.05))
        with pytest.raises(UpstreamError, match="in time") as caught:
            await argo.retry("ci", "ci")
        await argo.aclose()
    assert caught.value.retryable
