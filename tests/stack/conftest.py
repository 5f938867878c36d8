from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from shared_stacks import BUILDING_MAIN, RUNNING, STILL, STILL_BUILDING_MAIN, Stacks
from sweep_kit import away_in
from tests_stack import REPOSITORY, Scene, SharedScene
from world import World, world_in

from kubeci.local.stack import local_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that share stacks in the event loop of those."""
    for item in items:
        if "stacks" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stacks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stacks]:
    """The stacks that tests share."""
    async with Stacks(tmp_path_factory) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def scene(stacks: Stacks) -> SharedScene:
    return await stacks.scene(RUNNING)


@pytest_asyncio.fixture(loop_scope="session")
async def still(stacks: Stacks) -> SharedScene:
    """A stack whose workflows nobody runs."""
    return await stacks.scene(STILL)


@pytest_asyncio.fixture(loop_scope="session")
async def still_strict(stacks: Stacks) -> SharedScene:
    """A stack that builds only `main`, and runs nothing."""
    return await stacks.scene(STILL_BUILDING_MAIN)


@pytest_asyncio.fixture(loop_scope="session")
async def strict(stacks: Stacks) -> SharedScene:
    """A stack that builds only `main`, and runs it."""
    return await stacks.scene(BUILDING_MAIN)


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[Scene]:
    """A stack of the test's own: one that counts what is asked, or lets all of it fail."""
    async with local_stack(tmp_path) as stack:
        await stack.github.create_repository(REPOSITORY)
        yield Scene(stack)


@pytest.fixture
async def still_alone(tmp_path: Path) -> AsyncIterator[Scene]:
    """The same, whose workflows nobody runs."""
    async with local_stack(tmp_path, STILL) as stack:
        await stack.github.create_repository(REPOSITORY)
        yield Scene(stack)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A stack without an engine, whose server can be killed and started again."""
    async with world_in(tmp_path) as made:
        yield made


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[World]:
    """A server that has swept, and is away; what was pushed before is built."""
    async with away_in(tmp_path) as made:
        yield made
