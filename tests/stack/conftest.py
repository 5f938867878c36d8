from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from shared_stacks import BUILDING_MAIN, RUNNING, STILL, STILL_BUILDING_MAIN, Stacks
from sweep_kit import away_in
from talk_kit import PACE, TEMPLATE, Talk
from tests_stack import REPOSITORY, Scene, SharedScene
from world import World, world_in

from kubeci.local.stack import StackSettings, local_stack
from kubeci.settings.config import Config, TemplateFiles
from kubeci.settings.pattern import Pattern


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


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with templates, good and bad."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "go.yaml").write_text(TEMPLATE)
    (folder / "go.star").write_text("workflow = None\n")
    (folder / "big.yaml").write_text("#" * 1_000_001)
    (folder / "binary.yaml").write_bytes(b"\xff")
    return folder


@pytest.fixture(scope="session")
def with_templates(templates: Path) -> StackSettings:
    """Two templates that may be used, and workflows that nobody runs."""
    found = {
        "go": TemplateFiles("For @everyone who writes Go", str(templates / "go.yaml")),
        "star": TemplateFiles("Starlark", str(templates / "go.star")),
        "lost": TemplateFiles("", str(templates / "nothing.yaml")),
        "none": TemplateFiles(),
        "big": TemplateFiles("", str(templates / "big.yaml")),
        "binary": TemplateFiles("", str(templates / "binary.yaml")),
    }
    config = Config(build_branches=Pattern("^main$"), templates=found, deploy_templates=Pattern("^deploy"))
    return StackSettings(config=config, engine=False)


@pytest_asyncio.fixture(loop_scope="session")
async def talk(stacks: Stacks, with_templates: StackSettings) -> Talk:
    """A stack with templates, and a member `ada` who has no write permission."""
    scene = await stacks.scene(with_templates, PACE)
    scene.stack.github.member(scene.owner, "ada")
    return Talk(scene.stack, scene.repository)
