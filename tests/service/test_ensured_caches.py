"""Which claim a build gets for its cache, and which ones it is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from caches_kit import FORK, HERE, LOOKALIKE, Scene, build, cache, scene_in

from kubeci.cluster.causes import explained
from kubeci.cluster.claims import ClusterClaims
from kubeci.cluster.errors import of_answer
from kubeci.errors import DefinitionError, Forbidden, KubeCIError, Unready, UpstreamError
from kubeci.local.cluster.resources import CLAIMS
from kubeci.model.cache import CacheClaim
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository
from kubeci.service import caches
from kubeci.workflow.claims import claim_name


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene_in(tmp_path) as scene:
        yield scene


async def test_a_claim_is_created_once_and_found_again(scene: Scene) -> None:
    for claim in (cache(), cache(branch="main"), cache(name="deps")):
        assert await caches.ensure(claim, scene.rooms) == ()
        assert await caches.ensure(claim, scene.rooms) == ()
    assert scene.claims() == {claim_name(HERE, ""), claim_name(HERE, "main"), "deps"}
    assert sum(asked.method == "POST" for asked in scene.cluster.requests) == 3


async def test_a_size_is_the_same_however_it_is_written(scene: Scene) -> None:
    await caches.ensure(cache(size="1Gi"), scene.rooms)
    assert await caches.ensure(cache(size="1024Mi"), scene.rooms) == ()


async def test_an_existing_claim_is_used_as_it_is(scene: Scene) -> None:
    scene.create(cache())
    wanted = replace(cache(size="2Gi"), storage_class_name="fast")
    size, storage_class = await caches.ensure(wanted, scene.rooms)
    assert "its size is 1Gi, not 2Gi" in size
    assert "its storage class is" in storage_class


@pytest.mark.parametrize(
    ("existing", "wanted"),
    [
        (cache(LOOKALIKE, name="deps"), cache(name="deps")),
        (cache(LOOKALIKE, "main", name="deps"), cache(branch="main", name="deps")),
        (cache(branch="main", name="deps"), cache(branch="other", name="deps")),
        (cache(branch="main", name="deps"), cache(name="deps")),
        (cache(name="deps"), cache(branch="main", name="deps")),
        # The names that we make are judged by the same rule.
        (cache(LOOKALIKE, name=claim_name(HERE, "")), cache()),
        (cache(branch="main", name=claim_name(HERE, f"{FORK}:main")), cache(branch=f"{FORK}:main")),
        # Sharing counts for those alone who ask for the claim by its name.
        (cache(LOOKALIKE, name="shared"), replace(cache(name="shared"), named=False)),
        (cache(name="shared"), cache(LOOKALIKE, name="shared")),
    ],
)
async def test_a_claim_of_others_is_refused(scene: Scene, existing: CacheClaim, wanted: CacheClaim) -> None:
    scene.create(existing)
    with pytest.raises(
        DefinitionError, match=r"^creation of cache volume failed, the claim .* exists"
    ) as caught:
        await caches.ensure(wanted, scene.rooms)
    if existing.repository != wanted.repository:
        assert existing.repository.full_name not in str(caught.value)


async def test_a_claim_that_nobody_of_us_made_is_refused(scene: Scene) -> None:
    scene.older("database")
    with pytest.raises(DefinitionError, match=r"exists and is not the cache of my\.org/widgets as a whole"):
        await caches.ensure(cache(name="database"), scene.rooms)


async def test_claims_of_older_versions_are_found_by_their_names(scene: Scene) -> None:
    for branch in ("", "main"):
        scene.older(claim_name(HERE, branch))
        assert await caches.ensure(cache(branch=branch), scene.rooms) == ()


async def test_a_shared_claim(scene: Scene) -> None:
    for stranger in (LOOKALIKE, Repository("not-my.org", "widgets", 4)):
        with pytest.raises(DefinitionError, match="keeps the claim `shared` for other repositories"):
            await caches.ensure(cache(stranger, name="shared"), scene.rooms)
    scene.create(cache(Repository("infra", "base", 3), name="shared"))
    assert await caches.ensure(cache(name="shared"), scene.rooms) == ()
    assert await caches.ensure(cache(branch="main", name="shared"), scene.rooms) == ()
    assert await caches.ensure(cache(Repository("infra", "base", 3), name="shared"), scene.rooms) == ()
    for claim in (cache(name="shared"), cache(branch="main", name="shared")):
        assert "so that it stays" in await caches.clear_build(build(claim), scene.rooms)
    assert await caches.clear_repository(HERE, scene.rooms) == caches.NO_CACHE
    assert scene.claims() == {"shared"}


async def test_a_claim_that_is_being_deleted_is_waited_for(scene: Scene) -> None:
    scene.create(cache())
    scene.pod("holder", cache().name)
    scene.cluster.objects.delete(CLAIMS, "ci", cache().name)
    # A build that runs with it keeps its pods.
    running = replace(build(cache()), workflow_uid="uid")
    await scene.rooms.builds.add(running)
    with pytest.raises(UpstreamError, match="is being cleared") as caught:
        await caches.ensure(cache(), scene.rooms)
    assert caught.value.retryable
    assert scene.claims() == {cache().name}


async def test_a_claim_that_was_deleted_by_hand_loses_the_ended_pods_that_hold_it(scene: Scene) -> None:
    scene.create(cache())
    scene.pod("holder", cache().name)
    scene.cluster.objects.delete(CLAIMS, "ci", cache().name)
    with pytest.raises(UpstreamError, match="is being cleared"):
        await caches.ensure(cache(), scene.rooms)
    assert scene.claims() == set()
    assert await caches.ensure(cache(), scene.rooms) == ()


async def test_a_claim_that_appears_meanwhile_is_read_again(scene: Scene) -> None:
    scene.create(cache())
    scene.cluster.faults.add("GET", cache().name, status=404)
    assert await caches.ensure(cache(), scene.rooms) == ()
    scene.create(cache(LOOKALIKE, name="deps"))
    scene.cluster.faults.add("GET", "deps", status=404)
    with pytest.raises(DefinitionError, match="exists"):
        await caches.ensure(cache(name="deps"), scene.rooms)
    scene.cluster.faults.add("GET", cache().name, status=404, times=2)
    with pytest.raises(UpstreamError, match="came and went") as caught:
        await caches.ensure(cache(), scene.rooms)
    assert caught.value.retryable


async def test_a_created_claim_whose_answer_was_lost_is_found(scene: Scene) -> None:
    scene.cluster.faults.add("POST", "persistentvolumeclaims", drop=True, after=True)
    with pytest.raises(UpstreamError) as caught:
        await caches.ensure(cache(), scene.rooms)
    assert caught.value.retryable
    assert await caches.ensure(cache(), scene.rooms) == ()


async def test_what_the_cluster_refuses_is_told_in_its_words(scene: Scene) -> None:
    with pytest.raises(
        DefinitionError, match=r"^creation of cache volume failed, .* 422 .*greater than zero"
    ):
        await caches.ensure(cache(size="0"), scene.rooms)
    for method, verb in (("GET", "get"), ("POST", "create")):
        scene.cluster.faults.add(method, "persistentvolumeclaims", status=403)
        with pytest.raises(UpstreamError) as caught:
            await caches.ensure(cache(), scene.rooms)
        assert caught.value.retryable, "it may have started a moment ago"
        right = f"{verb} persistentvolumeclaims in the namespace ci"
        assert f"does not let the server {right}: the cluster answered 403 to " in caught.value.public
    scene.cluster.faults.add("GET", "persistentvolumeclaims", status=401)
    with pytest.raises(Forbidden):
        await caches.ensure(cache(), scene.rooms)
    assert scene.claims() == set()


@dataclass(frozen=True)
class Refusing:
    """Claims of a cluster that refuses each new one in some words."""

    claims: ClusterClaims
    words: str

    async def get(self, namespace: str, name: str) -> JsonObject:
        return await self.claims.get(namespace, name)

    async def create(self, manifest: JsonObject) -> JsonObject:
        route = "/api/v1/namespaces/{namespace}/persistentvolumeclaims"
        message = f'persistentvolumeclaims "{manifest["metadata"]["name"]}" is forbidden: {self.words}'
        refusal = of_answer(403, {}, json.dumps({"message": message}).encode(), call=f"POST {route}")
        raise explained(refusal, route=route, namespace="ci")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("exceeded quota: storage, requested: requests.storage=1Gi, used: requests.storage=9Gi", Unready),
        ("maximum storage usage per PersistentVolumeClaim is 1Mi, but request is 1Gi", DefinitionError),
    ],
)
async def test_a_quota_is_waited_for_and_a_limit_is_not(
    scene: Scene, words: str, kind: type[KubeCIError]
) -> None:
    scene.rooms.cluster.claims = Refusing(scene.rooms.cluster.claims, words)
    with pytest.raises(kind) as caught:
        await caches.ensure(cache(), scene.rooms)
    assert words in caught.value.public


@pytest.mark.parametrize(
    ("existing", "of_build", "expected"),
    [
        (None, None, True),
        (None, cache(), False),
        (cache(), cache(), True),
        (cache(branch="main"), cache(branch="main"), True),
        (cache(branch="other", name="deps"), cache(branch="main", name="deps"), False),
        (cache(LOOKALIKE, name="deps"), cache(name="deps"), False),
        (cache(LOOKALIKE, name="shared"), cache(name="shared"), True),
    ],
)
async def test_a_workflow_runs_again_only_with_its_own_cache(
    scene: Scene, existing: CacheClaim | None, of_build: CacheClaim | None, expected: bool
) -> None:
    if existing:
        scene.create(existing)
    assert await caches.has_its_cache(build(of_build), scene.rooms) is expected


async def test_a_workflow_does_not_run_again_while_its_cache_is_cleared(scene: Scene) -> None:
    scene.create(cache())
    scene.pod("holder", cache().name)
    scene.cluster.objects.delete(CLAIMS, "ci", cache().name)
    assert await caches.has_its_cache(build(cache()), scene.rooms) is False
