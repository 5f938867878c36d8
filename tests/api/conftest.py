from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from api_kit import Api, api_in

from kubeci.local.stack import StackSettings


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A stack that runs what is submitted."""
    async with api_in(tmp_path) as made:
        yield made


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Api]:
    """A stack whose workflows nobody runs."""
    async with api_in(tmp_path, StackSettings(engine=False)) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The same, one for all tests of a module, which run in the module's event loop."""
    async with api_in(tmp_path_factory.mktemp("shared"), StackSettings(engine=False)) as made:
        yield made
