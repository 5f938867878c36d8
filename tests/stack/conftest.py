from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests_stack import REPOSITORY, Scene
from world import World, world_in

from kubeci.local.stack import StackSettings, local_stack
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with local_stack(tmp_path) as stack:
        await stack.github.create_repository(REPOSITORY)
        yield Scene(stack)


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Scene]:
    """A stack whose workflows nobody runs."""
    async with local_stack(tmp_path, StackSettings(engine=False)) as stack:
        await stack.github.create_repository(REPOSITORY)
        yield Scene(stack)


@pytest.fixture
async def still_strict(tmp_path: Path) -> AsyncIterator[Scene]:
    """A stack that builds only `main`, and runs nothing."""
    config = Config(build_branches=Pattern("^main$"))
    async with local_stack(tmp_path, StackSettings(engine=False, config=config)) as stack:
        await stack.github.create_repository(REPOSITORY)
        yield Scene(stack)


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Scene]:
    """A stack that builds only `main`, and runs it."""
    config = Config(build_branches=Pattern("^main$"))
    async with local_stack(tmp_path, StackSettings(config=config)) as stack:
        await stack.github.create_repository(REPOSITORY)
        yield Scene(stack)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A stack without an engine, whose server can be killed and started again."""
    async with world_in(tmp_path) as made:
        yield made
