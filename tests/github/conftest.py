from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from github_kit import PLAIN, Requests

from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.connection import Endpoint
from kubeci.local.github.auth import App, new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.model.repository import Repository


@pytest.fixture(scope="session")
def registered() -> App:
    return new_app(app_id=7)


@pytest.fixture
def credentials(registered: App) -> Credentials:
    return Credentials(registered.id, registered.private_key or "")


@pytest.fixture
async def github(tmp_path: Path, registered: App) -> AsyncIterator[LocalGitHub]:
    async with LocalGitHub(tmp_path / "github", app=registered, webhook_secret="secret") as server:
        await server.create_repository("acme/widgets")
        yield server


@pytest.fixture
def repository(github: LocalGitHub) -> Repository:
    return Repository("acme", "widgets", github.installation("acme/widgets").id)


@pytest.fixture
def requests() -> Requests:
    return []


@pytest.fixture
async def app(github: LocalGitHub, credentials: Credentials, requests: Requests) -> AsyncIterator[GitHubApp]:
    def heard(method: str, route: str, status: int, seconds: float) -> None:
        assert 0 <= seconds < 60
        requests.append((method, route, status))

    endpoint = Endpoint(github.api_url, trust_env=False, tls=PLAIN, pauses=(0.01, 0.01), answer_seconds=5)
    async with GitHubApp(credentials, endpoint, on_request=heard) as app:
        yield app


@pytest.fixture
def git(github: LocalGitHub) -> Callable[..., Awaitable[None]]:
    """Run git in the bare repository of acme/widgets."""
    found = github.state.repository("acme/widgets")
    assert found is not None
    identity = {"GIT_COMMITTER_NAME": "octocat", "GIT_COMMITTER_EMAIL": "octocat@example.com"}

    async def run(*arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            "git", "-C", str(found.path), *arguments, env={**os.environ, **identity}
        )
        assert await process.wait() == 0

    return run
