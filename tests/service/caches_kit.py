"""A cluster with cache volumes, and the words of the tests about them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kubeci.cluster.claims import ClusterClaims
from kubeci.cluster.connect import connect
from kubeci.cluster.workflows import ArgoWorkflows
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.resources import CLAIMS, PODS
from kubeci.model.build import Build, Plan
from kubeci.model.cache import CacheClaim
from kubeci.model.repository import Commit, Ref, Repository
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


@asynccontextmanager
async def scene_in(folder: Path) -> AsyncIterator[Scene]:
    """Serve a cluster, and connect the rooms to it."""
    cluster = LocalCluster()
    async with cluster.serving():
        kubeconfig = folder / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        async with (
            connect(kubeconfig=str(kubeconfig), trust_env=False) as client,
            database(f"sqlite:///{folder}/kubeci.db") as stored,
        ):
            config = Config(namespace="ci", shared_claims=SHARED)
            parts = SimpleNamespace(claims=ClusterClaims(client), workflows=ArgoWorkflows(client))
            yield Scene(cluster, SimpleNamespace(cluster=parts, config=config, builds=SqlBuilds(stored)))
