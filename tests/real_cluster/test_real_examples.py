"""The example projects on Argo's own controller and executor: their check-runs end as they do with `kubeci demo`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from given_cluster import RealCluster
from real_pods import NODE_SELECTOR, TOLERATIONS, pods_that_run
from real_scene import RealScene, real_scene

from kubeci.local.examples import differences, load_example

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def node(real_cluster: RealCluster) -> Iterator[None]:
    with pods_that_run(real_cluster):
        yield


@pytest.fixture
async def scene(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    placed = {"node_selector": NODE_SELECTOR, "tolerations": TOLERATIONS}
    async with real_scene(real_cluster, tmp_path, **placed) as made, made.serving():
        yield made


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("name", ["yaml", "starlark", "matrix", "failing", "release"])
async def test_an_example_ends_as_it_says(scene: RealScene, name: str) -> None:
    example = load_example(name)
    sha = await scene.push(example.files, message=name)
    await scene.until(
        lambda: set(example.expected) <= {run.name for run in scene.runs(sha) if run.status == "completed"}
    )
    found = {run.name: run for run in scene.runs(sha)}
    assert not differences(example.expected, {check: found[check] for check in example.expected})
