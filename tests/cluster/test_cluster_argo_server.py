"""The adapter to argo-server, against the local one and against one that misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from cluster_kit import PLAIN
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kubeci.cluster.argo_look import argo_version
from kubeci.cluster.argo_server import CHUNK_BYTES, ArgoServer, Limits
from kubeci.cluster.argo_server_http import trusting
from kubeci.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    UpstreamError,
)
from kubeci.local.argo_server.server import LocalArgoServer, argo_server
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.serving import drop_connection, serving

TOKEN = "very-secret-token"
NODE = {
    "id": "ci",
    "name": "ci",
    "displayName": "ci",
    "type": "Pod",
    "templateName": "main",
    "phase": "Failed",
}


def workflow(phase: str) -> dict[str, Any]:
    spec = {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "any"}}]}
    return {"metadata": {"name": "ci"}, "spec": spec, "status": {"phase": phase, "nodes": {"ci": NODE}}}


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
async def local(objects: Objects) -> AsyncIterator[LocalArgoServer]:
    async with argo_server(objects) as server:
        yield server


@pytest.fixture
async def argo(local: LocalArgoServer) -> AsyncIterator[ArgoServer]:
    argo = ArgoServer(local.url, local.token, trust_env=False, tls=PLAIN)
    yield argo
    await argo.aclose()


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


class Odd:
    """An argo-server that answers every request the same, and remembers what was asked."""

    def __init__(self, answer: ASGIApp) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        authorization = request.headers.get("authorization", "")
        self.asked.append((request.method, scope["raw_path"].decode(), authorization, await request.body()))
        await self.answer(scope, receive, send)


def _json(status: int, body: str) -> Response:
    return Response(body, status, media_type="application/json")


async def _dropped(scope: Scope, _receive: Receive, _send: Send) -> None:
    drop_connection(scope)
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("answer", "kind", "retryable"),
    [
        (_json(409, '{"code": 6, "message": "changed"}'), Conflict, False),
        (_json(403, '{"code": 7, "message": "no"}'), Forbidden, False),
        (_json(429, '{"code": 8, "message": "slow"}'), RateLimited, True),
        (_json(500, '{"code": 13, "message": "no"}'), UpstreamError, True),
        (_json(500, '{"no": "message"}'), UpstreamError, True),
        (_json(503, "[]"), UpstreamError, True),
        (Response(b"\xff" * 200_000, 502), UpstreamError, True),
        (Response("", 302, {"Location": "/login"}), UpstreamError, False),
        (Response("<html>log in", 200), UpstreamError, False),
        (_dropped, UpstreamError, True),
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


DENIED = 'workflows "x" is forbidden: User "system:serviceaccount:argo:argo-server" cannot get it at https://10.0.0.1'


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 429, 500])
async def test_words_of_argo_server_are_for_the_operator(status: int) -> None:
    async with serving(_json(status, json.dumps({"code": 7, "message": DENIED}))) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        with pytest.raises(UpstreamError, match="system:serviceaccount") as caught:
            await _read(argo)
        await argo.aclose()
    assert caught.value.public == f"the cluster answered {status} to argo-server's archived log"


async def test_the_address_of_argo_server_is_for_the_operator() -> None:
    argo = ArgoServer("http://argo.invalid:2746", TOKEN, trust_env=False)
    with pytest.raises(UpstreamError, match=r"archived log: \S") as caught:
        await _read(argo)
    await argo.aclose()
    assert caught.value.public == "the connection to argo-server failed at argo-server's archived log"


async def test_a_retry_that_is_refused_is_told_to_anybody() -> None:
    words = "Cannot retry a workflow in phase Running"
    async with serving(_json(400, json.dumps({"code": 9, "message": words}))) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        with pytest.raises(Invalid) as caught:
            await argo.retry("ci", "ci")
        await argo.aclose()
    assert words in caught.value.public


async def test_what_is_asked_under_a_path() -> None:
    odd = Odd(_json(200, '{"metadata": {}, "spec": {"newer": 1, "templates": "of another shape"}}'))
    async with serving(odd) as url:
        argo = ArgoServer(f"{url}/argo", f"Bearer {TOKEN}\n", trust_env=False, tls=PLAIN)
        await argo.retry("ci", "a b")
        await argo.aclose()
    method, path, authorization, body = odd.asked[0]
    assert (method, path) == ("PUT", "/argo/api/v1/workflows/ci/a%20b/retry")
    assert authorization == f"Bearer {TOKEN}"
    assert body == b"{}"


async def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Odd(_json(200, "{}"))
    async with serving(odd) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        argo = ArgoServer("http://argo.example:2746", TOKEN)
        await argo.retry("ci", "ci")
        await argo.aclose()
        assert len(odd.asked) == 1
        argo = ArgoServer("http://127.0.0.1:1", TOKEN, trust_env=False)
        with pytest.raises(UpstreamError):
            await argo.retry("ci", "ci")
        await argo.aclose()
        assert len(odd.asked) == 1


@pytest.mark.parametrize(
    "certificates", ["no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"]
)
def test_certificates_that_are_none(certificates: str) -> None:
    with pytest.raises(ConfigurationError, match="--argo-cafile"):
        trusting(certificates)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("argo:2746", TOKEN),
        ("ftp://argo", TOKEN),
        ("https://", TOKEN),
        ("https://argo/{x}", TOKEN),
        ("https://argo:port", TOKEN),
        ("https://[argo", TOKEN),
        ("https://user:password@argo", TOKEN),
        ("https://argo/\n", TOKEN),
        ("https://argo", ""),
        ("https://argo", "Bearer "),
        ("https://argo", f"{TOKEN}\nX: y"),
        ("https://argo", f"{TOKEN}é"),
    ],
)
def test_settings_that_cannot_work(url: str, token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ArgoServer(url, token)
    assert TOKEN not in str(caught.value)


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


def archived(data: str) -> dict[str, Any]:
    """Give a workflow whose node left an archived log."""
    whole = workflow("Failed")
    node = NODE | {"outputs": {"artifacts": [{"name": "main-logs", "raw": {"data": data}}]}}
    whole["status"]["nodes"] = {"ci": node}
    return whole


async def _read(
    argo: ArgoServer, *, name: str = "ci", node: str = "ci", artifact: str = "main-logs"
) -> bytes:
    async with aclosing(argo.archived_log("ci", name, node, artifact)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_an_archived_log(objects: Objects, argo: ArgoServer) -> None:
    log = "first\n\nzweite für\n" * 10_000
    objects.create(WORKFLOWS, "ci", archived(log))
    assert await _read(argo) == log.encode()


@pytest.mark.parametrize(
    ("asked", "kind", "status"),
    [
        ({"name": "gone"}, NotFound, 404),
        ({"node": "other"}, UpstreamError, 500),
        ({"artifact": "wait-logs"}, UpstreamError, 500),
        ({"artifact": "../../secret"}, UpstreamError, 500),
        ({"artifact": ".."}, Invalid, 0),
    ],
)
async def test_an_archived_log_that_is_not_there(
    objects: Objects, argo: ArgoServer, asked: dict[str, str], kind: type[UpstreamError], status: int
) -> None:
    objects.create(WORKFLOWS, "ci", archived("x"))
    with pytest.raises(kind) as caught:
        await _read(argo, **asked)
    assert caught.value.status == status


async def test_an_archived_log_is_asked_for_with_the_token_and_uncompressed() -> None:
    seen: dict[str, str] = {}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen.update(request.headers, path=scope["raw_path"].decode())
        await Response("a log")(scope, receive, send)

    async with serving(answer) as url:
        argo = ArgoServer(f"{url}/argo", TOKEN, trust_env=False, tls=PLAIN)
        assert await _read(argo, node="a/b") == b"a log"
        await argo.aclose()
    assert seen["path"] == "/argo/artifacts/ci/ci/a%2Fb/main-logs"
    assert (seen["authorization"], seen["accept-encoding"]) == (f"Bearer {TOKEN}", "identity")


@pytest.mark.parametrize(
    ("answer", "words", "retryable"),
    [
        (Response("<html>log in", media_type="text/html"), "a web page", False),
        (Response("", 302, {"Location": "/login"}), "302", False),
        (Response("Unauthorized\n", 401), "Unauthorized", False),
        (Response("busy", 503), "503", True),
        (Response("x" * 2000), "larger than 1,000 bytes", False),
        (_dropped, "connection", True),
    ],
)
async def test_an_archived_log_that_cannot_be_read(answer: ASGIApp, words: str, retryable: bool) -> None:
    async with serving(answer) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=Limits(log_bytes=1000))
        with pytest.raises(UpstreamError, match=words) as caught:
            await _read(argo)
        await argo.aclose()
    assert caught.value.retryable is retryable
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", [200, 503])
async def test_an_argo_server_that_drips(status: int) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(dripping(), status)(scope, receive, send)

    async with serving(answer) as url:
        limits = Limits(retry_seconds=0.2, lint_seconds=0.2, log_seconds=0.2)
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=limits)
        async with asyncio.timeout(10):
            for ask in (
                argo.retry("ci", "ci"),
                argo.lint("ci", {}),
                argo_version(url, TOKEN, trust_env=False, tls=PLAIN, answer_seconds=0.2),
                _read(argo),
            ):
                with pytest.raises(UpstreamError, match="in time") as caught:
                    await ask
                assert caught.value.retryable
        await argo.aclose()


async def test_an_archived_log_whose_reader_takes_its_time() -> None:
    async with serving(Response("x" * 3 * CHUNK_BYTES)) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=Limits(log_seconds=0.3))
        async with aclosing(argo.archived_log("ci", "ci", "ci", "main-logs")) as chunks:
            assert await anext(chunks)
            await asyncio.sleep(0.4)  # longer than the limit: it must not end the reader's own work
            with pytest.raises(UpstreamError, match="in time"):
                async for _ in chunks:
                    pass
        await argo.aclose()


@pytest.fixture(scope="module")
def bomb() -> bytes:
    return gzip.compress(gzip.compress(b"{" + bytes(200_000_000)))


@pytest.mark.parametrize(("status", "retryable"), [(200, False), (500, True)])
async def test_an_answer_that_is_compressed_is_not_unpacked(
    bomb: bytes, status: int, retryable: bool
) -> None:
    odd = Odd(Response(bomb, status, {"Content-Encoding": "gzip, gzip"}))
    words = "is compressed" if status == 200 else "answered 500 to .*: no message"
    async with serving(odd) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        tracemalloc.start()
        try:
            for ask in (_read(argo), argo.lint("ci", {})):
                with pytest.raises(UpstreamError, match=words) as caught:
                    await ask
                assert caught.value.retryable is retryable
            # hera's models would be counted too, were they not imported before.
            looked = argo_version(url, TOKEN, trust_env=False, tls=PLAIN, answer_seconds=5)
            with pytest.raises(UpstreamError, match="is compressed"):
                await looked
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        with pytest.raises(UpstreamError, match=words):
            await argo.retry("ci", "ci")
        await argo.aclose()
    assert most < 20_000_000
    assert len(odd.asked) == 4


async def test_nothing_is_asked_for_compressed() -> None:
    asked: list[str | None] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(Request(scope, receive).headers.get("accept-encoding"))
        await _json(200, "{}")(scope, receive, send)

    async with serving(answer) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        await argo.retry("ci", "ci")
        await argo.lint("ci", {})
        await argo.aclose()
        await argo_version(url, TOKEN, trust_env=False, tls=PLAIN, answer_seconds=5)
    assert asked == ["identity"] * 4


async def test_an_argo_server_that_is_away_is_not_asked_for_each_log() -> None:
    odd = Odd(_dropped)
    async with serving(odd) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=Limits(pause_seconds=0.3))
        for _ in range(3):
            with pytest.raises(UpstreamError) as caught:
                await _read(argo)
            assert caught.value.retryable
        assert len(odd.asked) == 1
        odd.answer = Response("a log")
        async with asyncio.timeout(5):
            while True:
                try:
                    assert await _read(argo) == b"a log"
                    break
                except UpstreamError:
                    await asyncio.sleep(0.02)
        await argo.aclose()


async def test_an_archived_log_that_never_ends() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * CHUNK_BYTES
            await asyncio.sleep(0.01)

    async with serving(StreamingResponse(endless())) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=Limits(log_seconds=0.05))
        with pytest.raises(UpstreamError, match="in time"):
            await _read(argo)
        await argo.aclose()


async def test_a_lint(argo: ArgoServer) -> None:
    manifest = {"metadata": {"name": "ci"}, "spec": workflow("")["spec"]}
    assert await argo.lint("ci", manifest) == ""
    manifest["spec"] = {**manifest["spec"], "entrypoint": "other"}
    assert await argo.lint("ci", manifest) == "template name 'other' undefined"


async def test_what_a_lint_sends_is_the_manifest_as_it_is() -> None:
    odd = Odd(_json(200, "{}"))
    async with serving(odd) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        manifest = {"metadata": {"namespace": "ci"}, "spec": {"newer": {"field": 1}}}
        assert await argo.lint("ci", manifest) == ""
        await argo.aclose()
    method, path, authorization, body = odd.asked[0]
    assert (method, path, authorization) == ("POST", "/api/v1/workflows/ci/lint", f"Bearer {TOKEN}")
    assert json.loads(body) == {"namespace": "ci", "workflow": manifest}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (_json(400, '{"code": 3, "message": "templates.a is wrong"}'), "templates.a is wrong"),
        (_json(500, '{"code": 2, "message": "templates.a\\n is wrong"}'), "templates.a is wrong"),
        (_json(400, '{"code": 3, "message": "\\u001b[2Ja \\u001b]0;title\\u0007b\\u202e"}'), "a b[U+202E]"),
        (
            _json(404, '{"code": 5, "message": "workflowtemplates \\"t\\" not found"}'),
            'workflowtemplates "t" not found',
        ),
        (_json(501, '{"code": 12, "message": "Not Implemented"}'), UpstreamError),
        (Response("404 page not found", 404), NotFound),
        (_json(403, '{"code": 7, "message": "no"}'), Forbidden),
        (_json(500, '{"code": 13, "message": "panic"}'), UpstreamError),
        (_json(500, '{"code": "2", "message": "odd"}'), UpstreamError),
        (Response("<html>log in", 200), UpstreamError),
        (_dropped, UpstreamError),
    ],
)
async def test_what_is_said_of_a_workflow_and_what_of_argo_server(
    answer: ASGIApp, found: str | type[UpstreamError]
) -> None:
    async with serving(answer) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        if isinstance(found, str):
            assert await argo.lint("ci", {}) == found
        else:
            with pytest.raises(found):
                await argo.lint("ci", {})
        await argo.aclose()


def test_hera_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, kubeci.cluster.argo_server as a; a.ArgoServer('http://a', 't'); sys.exit('hera' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
