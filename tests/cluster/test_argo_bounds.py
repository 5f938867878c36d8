"""No answer of argo-server lasts for ever, or is unpacked."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from argo_server_kit import TOKEN, Odd, in_json, read_log
from cluster_kit import PLAIN
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from kubeci.cluster.argo_look import argo_version
from kubeci.cluster.argo_server import ArgoServer, Limits
from kubeci.errors import UpstreamError
from kubeci.local.serving import serving


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
                read_log(argo),
            ):
                with pytest.raises(UpstreamError, match="in time") as caught:
                    await ask
                assert caught.value.retryable
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
            for ask in (read_log(argo), argo.lint("ci", {})):
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
        await in_json(200, "{}")(scope, receive, send)

    async with serving(answer) as url:
        argo = ArgoServer(url, TOKEN, trust_env=False, tls=PLAIN)
        await argo.retry("ci", "ci")
        await argo.lint("ci", {})
        await argo.aclose()
        await argo_version(url, TOKEN, trust_env=False, tls=PLAIN, answer_seconds=5)
    assert asked == ["identity"] * 4
