from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from githubkit import AppInstallationAuthStrategy, GitHub
from local_github_kit import PLAIN, SECRET, Clock, Receiver, key_of, kit, token
from starlette.applications import Starlette
from starlette.routing import Route

from kubeci.local.github.auth import App, new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.local.serving import serving


@pytest.fixture(scope="session")
def app() -> App:
    return new_app(app_id=7)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])])) as url:
        receiver.url = f"{url}/hook"
        yield receiver


@pytest.fixture
async def github(tmp_path: Path, app: App, clock: Clock, receiver: Receiver) -> AsyncIterator[LocalGitHub]:
    async with LocalGitHub(tmp_path / "github", app=app, webhook_secret=SECRET, now=clock) as server:
        server.webhook_url = receiver.url
        await server.create_repository("acme/widgets")
        yield server


@pytest.fixture
async def http(github: LocalGitHub) -> AsyncIterator[httpx.AsyncClient]:
    """A bare client of the REST API, with a token of everything."""
    async with httpx.AsyncClient(trust_env=False, base_url=github.api_url, verify=PLAIN) as client:
        client.headers["authorization"] = f"Bearer {await token(github)}"
        yield client


@pytest.fixture
async def installed(github: LocalGitHub) -> AsyncIterator[GitHub[Any]]:
    """githubkit as the App's installation."""
    auth = AppInstallationAuthStrategy(
        github.app.id, key_of(github.app), github.installation("acme/widgets").id
    )
    async with kit(github, auth) as client:
        yield client
