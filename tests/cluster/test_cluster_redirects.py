"""An API server, or what stands in its place, leads nowhere: neither token nor workflow goes to another address."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import yaml
from cluster_kit import PLAIN

from kubeci.cluster.argo_server import ArgoServer
from kubeci.cluster.client import Request
from kubeci.cluster.connect import connect
from kubeci.errors import UpstreamError

TOKEN = "service-account-token-123"


AWAY = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


async def serve(answer: str, heard: list[bytes]) -> asyncio.Server:
    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer.encode())
        await writer.drain()
        writer.close()

    return await asyncio.start_server(hear, "127.0.0.1", 0)


def address(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_redirect_is_an_error(tmp_path: Path, status: int, method: str) -> None:
    there: list[bytes] = []
    here: list[bytes] = []
    away = await serve(AWAY, there)
    location = f"Location: {address(away)}/x"
    api = await serve(
        f"HTTP/1.1 {status} X\r\n{location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", here
    )
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": address(api)}}],
        "users": [{"name": "x", "user": {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    async with away, api, connect(kubeconfig=str(path), trust_env=False) as client:
        body = {"secret": "x"} if method == "POST" else None
        with pytest.raises(UpstreamError, match="redirect, which is not followed") as refusal:
            await client.send(Request(method, "/api/v1/namespaces", body=body))
    assert TOKEN.encode() in here[0]
    assert (there, TOKEN in repr(refusal.value)) == ([], False)


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("call", ["retry", "lint", "log"])
async def test_argo_server_leads_nowhere_either(status: int, call: str) -> None:
    there: list[bytes] = []
    here: list[bytes] = []
    away = await serve(AWAY, there)
    location = f"Location: {address(away)}/x"
    argo = await serve(
        f"HTTP/1.1 {status} X\r\n{location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", here
    )
    async with away, argo:
        server = ArgoServer(address(argo), TOKEN, trust_env=False, tls=PLAIN)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "retry": lambda: server.retry("argo", "x"),
            "lint": lambda: server.lint("argo", {}),
            "log": lambda: anext(server.archived_log("argo", "x", "x-1", "main-logs")),
        }
        with pytest.raises(UpstreamError) as refusal:
            await calls[call]()
        await server.aclose()
    assert TOKEN.encode() in here[0]
    assert (there, TOKEN in repr(refusal.value)) == ([], False)
