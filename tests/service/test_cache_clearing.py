"""Which cache volumes are deleted for a build, a branch and a repository, and which ones stay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from caches_kit import FORK, HERE, LOOKALIKE, Scene, build, cache, scene_in

from kubeci.errors import UpstreamError
from kubeci.model.cache import CacheClaim
from kubeci.service import caches
from kubeci.workflow.claims import claim_name


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene_in(tmp_path) as scene:
        yield scene


async def test_a_running_build_keeps_its_cache(scene: Scene) -> None:
    claim = cache(branch="main")
    scene.create(claim)
    running = await scene.rooms.builds.add(build(claim))
    for told in (
        await caches.clear_build(build(claim), scene.rooms),
        await caches.clear_branch(HERE, "main", scene.rooms),
        await caches.clear_repository(HERE, scene.rooms),
    ):
        assert "is in use by a running build: cancel it first" in told
    assert scene.claims() == {claim.name}
    # What is gone needs it no more.
    told = await caches.clear_branch(HERE, "main", scene.rooms, gone="the branch main was deleted")
    assert (told, scene.claims()) == (f"1 cache volume deleted: {claim.name}", set())
    stopped = await scene.rooms.builds.get(running.id)
    assert stopped.stopped == "the branch main was deleted"


async def test_a_repository_is_cleared_and_its_lookalike_is_not(scene: Scene) -> None:
    theirs = [cache(LOOKALIKE), cache(LOOKALIKE, "main"), cache(LOOKALIKE, name="deps")]
    ours = [cache(), cache(branch="main"), cache(branch=f"{FORK}:main"), cache(name="mine")]
    for claim in [*theirs, *ours]:
        scene.create(claim)
        scene.pod(f"pod-{claim.name}", claim.name)
    scene.older("unknown")
    told = await caches.clear_repository(HERE, scene.rooms)
    names = sorted(claim.name for claim in ours)
    assert told == f"4 cache volumes deleted: {', '.join(names)}; with 4 pods that held them"
    assert await caches.clear_repository(HERE, scene.rooms) == caches.NO_CACHE
    assert scene.claims() == {claim.name for claim in theirs} | {"unknown"}
    assert scene.pods() == {f"pod-{claim.name}" for claim in theirs}


async def test_a_branch_is_cleared_alone(scene: Scene) -> None:
    gone = [cache(branch="a/b"), cache(branch="a/b", name="mine")]
    stay = [
        cache(),
        cache(branch="a-b"),
        cache(branch="a/B"),
        cache(branch="tag:a/b"),
        cache(branch=f"{FORK}:a/b"),
        cache(LOOKALIKE, "a/b"),
    ]
    for claim in [*gone, *stay]:
        scene.create(claim)
    scene.older(claim_name(HERE, "old"))
    assert (await caches.clear_branch(HERE, "a/b", scene.rooms)).startswith("2 cache volumes deleted: ")
    assert scene.claims() == {claim.name for claim in stay} | {claim_name(HERE, "old")}
    assert await caches.clear_branch(HERE, "", scene.rooms) == caches.NO_CACHE
    told = await caches.clear_branch(HERE, "a/b", scene.rooms, fork=FORK)
    assert told == f"1 cache volume deleted: {claim_name(HERE, f'{FORK}:a/b')}"
    told = await caches.clear_branch(HERE, "old", scene.rooms)
    assert told == f"1 cache volume deleted: {claim_name(HERE, 'old')}"


@pytest.mark.parametrize(
    ("claim", "fork"),
    [
        (cache(), ""),
        (cache(branch="main"), ""),
        (cache(name="deps"), ""),
        (cache(branch=f"{FORK}:main"), FORK),
    ],
)
async def test_the_button_clears_the_builds_own(scene: Scene, claim: CacheClaim, fork: str) -> None:
    scene.create(claim)
    scene.create(cache(branch="other"))
    scene.pod("holder", claim.name)
    told = await caches.clear_build(build(claim, fork=fork), scene.rooms)
    assert told == f"1 cache volume deleted: {claim.name}; with 1 pod that held it"
    assert scene.claims() == {claim_name(HERE, "other")}
    assert await caches.clear_build(build(claim, fork=fork), scene.rooms) == caches.NO_CACHE


@pytest.mark.parametrize(
    ("existing", "of_build", "fork"),
    [
        (cache(LOOKALIKE, name="deps"), cache(name="deps"), ""),
        (cache(branch="other", name="deps"), cache(branch="main", name="deps"), ""),
        (cache(name="deps"), cache(branch="main", name="deps"), ""),
        (cache(branch="main", name="deps"), cache(branch="main", name="deps"), FORK),
    ],
)
async def test_the_button_leaves_what_is_others(
    scene: Scene, existing: CacheClaim, of_build: CacheClaim, fork: str
) -> None:
    scene.create(existing)
    scene.pod("holder", existing.name)
    assert "so that it stays" in await caches.clear_build(build(of_build, fork=fork), scene.rooms)
    assert (scene.claims(), scene.pods()) == ({"deps"}, {"holder"})


async def test_a_build_without_a_cache_has_nothing_to_clear(scene: Scene) -> None:
    assert await caches.clear_build(build(None), scene.rooms) == caches.NO_CACHE
    assert not scene.cluster.requests


async def test_clearing_that_was_interrupted_is_finished(scene: Scene) -> None:
    scene.create(cache())
    scene.pod("holder", cache().name)
    scene.cluster.faults.add("GET", "/pods", status=503)
    with pytest.raises(UpstreamError):
        await caches.clear_repository(HERE, scene.rooms)
    assert (scene.claims(), scene.pods()) == ({cache().name}, {"holder"})
    assert "1 cache volume deleted" in await caches.clear_repository(HERE, scene.rooms)
    assert (scene.claims(), scene.pods()) == (set(), set())
