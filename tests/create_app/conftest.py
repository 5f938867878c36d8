from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from create_app_kit import Person, somebody

from kubeci.local.github.auth import App, new_app
from kubeci.local.github.server import LocalGitHub


@pytest.fixture(scope="session")
def app() -> App:
    return new_app(app_id=7)


@pytest.fixture
async def github(tmp_path: Path, app: App) -> AsyncIterator[LocalGitHub]:
    async with LocalGitHub(tmp_path / "github", app=app, webhook_secret="its own") as server:
        server.state.account("acme")
        yield server


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    async with somebody() as found:
        yield found
