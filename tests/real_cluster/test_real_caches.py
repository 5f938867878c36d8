"""Cache volumes on the real thing: claims that are bound, protected while pods hold them, and cleared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from github_scene import REPOSITORY
from given_cluster import RealCluster
from played import cached
from real_scene import CLAIMS, RealScene, real_scene

from kubeci.local.github.state import CheckRun
from kubeci.model.json import JsonObject

pytestmark = pytest.mark.cluster


@pytest.fixture
async def ci(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene, scene.serving():
        yield scene


async def built(ci: RealScene, count: str = "") -> CheckRun:
    run = await ci.concluded(await ci.push(cached(count), branch="topic"))
    assert run.conclusion == "success"
    return run


async def none_left(ci: RealScene) -> bool:
    return not await ci.objects(CLAIMS)


async def pods(ci: RealScene) -> list[JsonObject]:
    return [pod for each in await ci.workflows() for pod in await ci.pods_of(each["metadata"]["name"])]


async def press_clear(ci: RealScene, run: CheckRun) -> None:
    [button] = [each for each in run.actions if each["label"] == "Clear Cache"]
    await ci.place.github.press(run.id, button["identifier"])


async def test_a_claim_is_made_bound_and_used_again(ci: RealScene) -> None:
    await built(ci, "1")
    [first] = await ci.objects(CLAIMS)
    assert (first["status"]["phase"], first["spec"]["resources"]["requests"]["storage"]) == ("Bound", "1Gi")
    assert "kubernetes.io/pvc-protection" in first["metadata"]["finalizers"]
    await built(ci, "2")
    [second] = await ci.objects(CLAIMS)
    assert second["metadata"]["uid"] == first["metadata"]["uid"]


async def test_the_button_clears_a_claim_that_ended_pods_still_hold(ci: RealScene) -> None:
    run = await built(ci)
    [pod] = await pods(ci)
    [claim] = await ci.objects(CLAIMS)
    held = [
        each["persistentVolumeClaim"]["claimName"]
        for each in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in each
    ]
    assert held == [claim["metadata"]["name"]]
    await press_clear(ci, run)
    await ci.eventually(lambda: none_left(ci))
    assert await pods(ci) == []
    await ci.until(lambda: "1 cache volume deleted" in str(run.output["summary"]))
    # The next build gets a new one.
    await built(ci, "2")
    [anew] = await ci.objects(CLAIMS)
    assert anew["metadata"]["uid"] != claim["metadata"]["uid"]


async def test_a_running_build_keeps_its_claim_until_its_branch_goes(ci: RealScene) -> None:
    first = await built(ci)
    sha = await ci.push(cached("2", seconds=120), branch="topic")
    await ci.in_progress(sha)
    await press_clear(ci, first)
    await ci.until(lambda: "in use by a running build" in str(first.output["summary"]))
    [claim] = await ci.objects(CLAIMS)
    assert "deletionTimestamp" not in claim["metadata"]
    await ci.place.github.delete_branch(REPOSITORY, "topic")
    assert (await ci.concluded(sha)).conclusion == "cancelled"
    await ci.eventually(lambda: none_left(ci))


async def test_a_claim_that_was_deleted_by_hand_goes_and_comes_again_with_the_next_build(
    ci: RealScene,
) -> None:
    await built(ci)
    [claim] = await ci.objects(CLAIMS)
    await ci.delete(CLAIMS, claim["metadata"]["name"])
    [going] = await ci.objects(CLAIMS)
    assert "deletionTimestamp" in going["metadata"], "its ended pod holds it"
    await built(ci, "2")
    [anew] = await ci.objects(CLAIMS)
    assert anew["metadata"]["uid"] != claim["metadata"]["uid"]
