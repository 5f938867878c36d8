from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubeci.cluster.causes import explained
from kubeci.cluster.claims import ClusterClaims
from kubeci.cluster.connect import connect
from kubeci.cluster.errors import of_answer
from kubeci.cluster.workflows import ArgoWorkflows
from kubeci.errors import DefinitionError, Forbidden, KubeCIError, Unready, UpstreamError
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.resources import CLAIMS, PODS
from kubeci.model.build import Build, Plan
from kubeci.model.cache import CacheClaim
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.service import caches
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.workflow.claims import claim_manifest, claim_name

HERE = Repository("my.org", "widgets", 1)
LOOKALIKE = Repository("my-org", "Widgets", 2)
"""Its labels are those of HERE."""
FORK = "mallory/widgets"
SHARED: dict[str, tuple[Pattern, ...]] = {"shared": (Pattern(r"my\.org/.*"),)}


@dataclass
class Scene:
    """A cluster, and the use cases' rooms over HTTP to it."""

    cluster: LocalCluster
    rooms: Any

    def create(self, claim: CacheClaim) -> None:
        self.cluster.objects.create(CLAIMS, "ci", claim_manifest(claim, "ci", "kube-ci"))

    def older(self, name: str, repository: Repository = HERE) -> None:
        """Create a claim as older versions did, without annotations."""
        manifest = claim_manifest(cache(repository), "ci", "kube-ci")
        manifest["metadata"]["name"] = name
        del manifest["metadata"]["annotations"]
        self.cluster.objects.create(CLAIMS, "ci", manifest)

    def pod(self, name: str, claim: str) -> None:
        self.cluster.objects.create(
            PODS,
            "ci",
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "labels": {"workflows.argoproj.io/workflow": "build"}},
                "spec": {
                    "nodeName": "n1",
                    "containers": [{"name": "main", "image": "x"}],
                    "volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": claim}}],
                },
                "status": {"phase": "Succeeded"},
            },
        )

    def claims(self) -> set[str]:
        return {each["metadata"]["name"] for each in self.cluster.objects.list(CLAIMS, "ci")}

    def pods(self) -> set[str]:
        return {each["metadata"]["name"] for each in self.cluster.objects.list(PODS, "ci")}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    cluster = LocalCluster()
    async with cluster.serving():
        kubeconfig = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        async with (
            connect(kubeconfig=str(kubeconfig), trust_env=False) as client,
            database(f"sqlite:///{tmp_path}/kubeci.db") as stored,
        ):
            config = Config(namespace="ci", shared_claims=SHARED)
            parts = SimpleNamespace(claims=ClusterClaims(client), workflows=ArgoWorkflows(client))
            yield Scene(cluster, SimpleNamespace(cluster=parts, config=config, builds=SqlBuilds(stored)))


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


def cache(
    repository: Repository = HERE, branch: str = "", *, name: str = "", size: str = "1Gi"
) -> CacheClaim:
    scope = "branch" if branch else "project"
    return CacheClaim(
        name or claim_name(repository, branch), scope, repository, branch, size, named=bool(name)
    )


def build(claim: CacheClaim | None, *, fork: str = "", branch: str = "main") -> Build:
    plan = Plan(cache_claim=claim.name, cache_scope=claim.scope) if claim else Plan()
    return Build(
        "id",
        Commit(HERE, "1" * 40),
        Ref(branch),
        "ci",
        "Workflow - ci",
        "ci",
        "build",
        datetime.now(UTC),
        head_repository=fork,
        plan=plan,
    )


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
