"""Redirects: within GitHub they are followed, to another host nothing goes, neither token nor body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from github_kit import PLAIN

from kubeci.errors import UpstreamError
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.connection import Endpoint
from kubeci.github.request import Request
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.repository import Repository

ROUTE = "/repos/{owner}/{repo}"
STATUSES = [301, 302, 307]


@asynccontextmanager
async def stranger() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A host that keeps all that it is sent."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100_000))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/elsewhere", heard


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("method", ["GET", "POST", "GRAPHQL", "TOKEN"])
async def test_nothing_goes_to_another_host(
    app: GitHubApp, github: LocalGitHub, repository: Repository, status: int, method: str
) -> None:
    calls: dict[str, tuple[str, Callable[[], Awaitable[Any]]]] = {
        "GET": ("/repos/acme/widgets", lambda: app.send(repository, Request("GET", ROUTE))),
        "POST": (
            "/check-runs",
            lambda: app.send(repository, Request("POST", ROUTE + "/check-runs", body={"x": "y"})),
        ),
        "GRAPHQL": ("/graphql", lambda: app.graphql(repository, "query { x }", {"x": "y"})),
        "TOKEN": ("/access_tokens", lambda: app.send(repository, Request("GET", ROUTE))),
    }
    path, call = calls[method]
    async with stranger() as (address, heard):
        github.faults.add(Fault("*", f"{path}$", status=status, headers={"Location": address}))
        with pytest.raises(UpstreamError, match="leads to another host") as refusal:
            await call()
    assert heard == []
    assert not refusal.value.retryable
    assert address not in str(refusal.value)


async def test_a_renamed_repository_is_followed(
    app: GitHubApp, github: LocalGitHub, repository: Repository
) -> None:
    target = f"{github.api_url}/repos/acme/widgets"
    github.faults.add(Fault("GET", "/git/ref/heads", status=301, headers={"Location": target}))
    old = Request("GET", ROUTE + "/git/ref/{ref}", {"ref": "heads/main"})
    assert (await app.send(repository, old))["full_name"] == "acme/widgets"


async def test_a_relative_and_a_malformed_location_send_nothing_away(
    app: GitHubApp, github: LocalGitHub, repository: Repository
) -> None:
    for location in ("//evil.invalid/x", "https://127.0.0.1/x", "ftp://127.0.0.1/", "http://[", "\\\\evil"):
        github.faults.add(Fault("GET", "/repos/acme/widgets$", status=302, headers={"Location": location}))
        with pytest.raises(UpstreamError) as refusal:
            await app.send(repository, Request("GET", ROUTE))
        assert "evil" not in str(refusal.value)


async def test_the_app_itself_is_asked_nowhere_else(github: LocalGitHub, credentials: Credentials) -> None:
    endpoint = Endpoint(github.api_url, trust_env=False, tls=PLAIN, pauses=())
    async with stranger() as (address, heard), GitHubApp(credentials, endpoint) as app:
        github.faults.add(Fault("GET", "/app$", status=307, headers={"Location": address}))
        with pytest.raises(UpstreamError, match="leads to another host"):
            await app.send_as_app(Repository("acme", "widgets", 1), Request("GET", "/app"))
    assert heard == []
