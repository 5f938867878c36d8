from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from engine_stack import Stack

from kubeci.local.cluster.objects import Objects
from kubeci.local.engine.engine import Engine
from kubeci.local.engine.isolation import probe
from kubeci.local.engine.runner import Limits


@pytest.fixture(params=["namespace", "process"])
async def stack(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stack]:
    if request.param == "namespace" and await probe() != "namespace":
        pytest.skip("this machine does not allow namespaces")
    objects = Objects()
    folder = tmp_path / "engine"
    limits = Limits(pods_at_once=8, grace_seconds=0.5)
    async with Engine(objects, folder=folder, isolation=request.param, limits=limits) as engine:
        yield Stack(objects, engine, folder)


@pytest.fixture
async def isolated(tmp_path: Path) -> AsyncIterator[Stack]:
    if await probe() != "namespace":
        pytest.skip("this machine does not allow namespaces")
    objects = Objects()
    limits = Limits(grace_seconds=0.5)
    async with Engine(objects, folder=tmp_path / "engine", isolation="namespace", limits=limits) as engine:
        yield Stack(objects, engine, tmp_path / "engine")
