from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from installation_scene import Scene, whole_installation


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with whole_installation(tmp_path) as made:
        yield made
