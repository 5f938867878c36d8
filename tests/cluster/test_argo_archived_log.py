"""Archived logs of argo-server: what is read, and what cannot be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from argo_server_kit import TOKEN, Odd, archived, dropped, in_json, read_log
from cluster_kit import PLAIN
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kubeci.cluster.argo_server import CHUNK_BYTES, ArgoServer, Limits
from kubeci.errors import Invalid, NotFound, UpstreamError
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.serving import serving

DENIED = 'workflows "x" is forbidden: User "system:serviceaccount:argo:argo-server" cannot get it at https://10.0.0.1'


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 429, 500])
async def test_words_of_argo_server_are_for_the_operator(status: int) -> None:
    async with serving(in_json(status, json.dumps({"code": 7, "message": DENIED}))) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        with pytest.raises(UpstreamError, match="system:serviceaccount") as caught:
            await read_log(argo)
        await argo.aclose()
    assert caught.value.public == f"the cluster answered {status} to argo-server's archived log"


async def test_the_address_of_argo_server_is_for_the_operator() -> None:
    argo = ArgoServer("http://argo.invalid:2746", TOKEN, trust_env=False)
    with pytest.raises(UpstreamError, match=r"archived log: \S") as caught:
        await read_log(argo)
    await argo.aclose()
    assert caught.value.public == "the connection to argo-server failed at argo-server's archived log"


async def test_an_archived_log(objects: Objects, argo: ArgoServer) -> None:
    log = "first\n\nzweite für\n" * 10_000
    objects.create(WORKFLOWS, "ci", archived(log))
    assert await read_log(argo) == log.encode()


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
        await read_log(argo, **asked)
    assert caught.value.status == status


async def test_an_archived_log_is_asked_for_with_the_token_and_uncompressed() -> None:
    seen: dict[str, str] = {}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen.update(request.headers, path=scope["raw_path"].decode())
        await Response("a log")(scope, receive, send)

    async with serving(answer) as url:
        argo = ArgoServer(f"{url}/argo", TOKEN, trust_env=False, tls=PLAIN)
        assert await read_log(argo, node="a/b") == b"a log"
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
        (dropped, "connection", True),
    ],
)
async def test_an_archived_log_that_cannot_be_read(answer: ASGIApp, words: str, retryable: bool) -> None:
    async with serving(answer) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=Limits(log_bytes=1000))
        with pytest.raises(UpstreamError, match=words) as caught:
            await read_log(argo)
        await argo.aclose()
    assert caught.value.retryable is retryable
    assert TOKEN not in str(caught.value)


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


async def test_an_argo_server_that_is_away_is_not_asked_for_each_log() -> None:
    odd = Odd(dropped)
    async with serving(odd) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN, limits=Limits(pause_seconds=0.3))
        for _ in range(3):
            with pytest.raises(UpstreamError) as caught:
                await read_log(argo)
            assert caught.value.retryable
        assert len(odd.asked) == 1
        odd.answer = Response("a log")
        async with asyncio.timeout(5):
            while True:
                try:
                    assert await read_log(argo) == b"a log"
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
            await read_log(argo)
        await argo.aclose()
