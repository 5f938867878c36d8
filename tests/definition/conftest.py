from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from modules_kit import Kit

from kubeci.definition.protocol import Limits
from kubeci.definition.sandbox import Sandbox
from kubeci.local.zygotes import KeptZygotes


@pytest.fixture(scope="module")
def zygotes() -> Iterator[KeptZygotes]:
    kept = KeptZygotes()
    yield kept
    kept.end()


@pytest.fixture
async def kit(zygotes: KeptZygotes) -> AsyncIterator[Kit]:
    async with Sandbox(Limits(wall_seconds=5), concurrent=1, zygotes=zygotes) as sandbox:
        yield Kit(sandbox)
