"""The real server between the local GitHub and a real cluster, acting with the rights of rbac/ and no others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from audited import ACCOUNT, note_token
from github_scene import REPOSITORY, GitHubScene
from given_cluster import RealCluster

from kubeci.app import Pace, running
from kubeci.cluster.client import MERGE_PATCH, Client, Request
from kubeci.cluster.connect import connect
from kubeci.local.github.auth import App, new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import CheckRun
from kubeci.local.serving import serving
from kubeci.local.stack import WEBHOOK_SECRET
from kubeci.model.json import JsonObject
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.settings.pattern import Pattern

RBAC = Path(__file__).parents[2] / "rbac"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows"
CLAIMS = "/api/v1/namespaces/{namespace}/persistentvolumeclaims"
PODS = "/api/v1/namespaces/{namespace}/pods"
PACE = Pace(push_wait_seconds=0.2)
"""Everything as it is in production, but that the local GitHub sends the check suite right behind the push."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RealPlace:
    """The surroundings of the server, and how the tests look at its cluster as an admin."""

    github: LocalGitHub
    cluster: RealCluster
    admin: Client
    options: Options
    config: Config


@dataclass
class RealScene(GitHubScene):
    """The words of the tests; `managed_by` keeps a test's workflows and claims apart from all others."""

    real: RealPlace
    patience_seconds: float = 40.0

    @property
    def place(self) -> RealPlace:
        return self.real

    def store_in(self, address: str) -> None:
        """Let servers that are started from now on use another database."""
        self.real = replace(self.real, options=replace(self.real.options, store_url=address))

    @asynccontextmanager
    async def serving(self, pace: Pace = PACE) -> AsyncIterator[None]:
        """Run the server in this process until the block ends; deliveries fail outside of it."""
        real = self.real
        async with (
            running(real.options, real.config, trust_env=False, pace=pace) as server,
            serving(server.web) as url,
        ):
            real.github.webhook_url = f"{url}/webhooks/github"
            try:
                yield
            finally:
                real.github.webhook_url = ""

    async def objects(self, route: str) -> list[JsonObject]:
        """List what this test's server has made."""
        names = {"namespace": self.real.cluster.namespace}
        selector = {"labelSelector": f"managedBy={self.real.config.managed_by}"}
        return list((await self.real.admin.send(Request("GET", route, names, selector)))["items"])

    async def workflows(self) -> list[JsonObject]:
        return await self.objects(WORKFLOWS)

    async def pods_of(self, workflow: str) -> list[JsonObject]:
        names = {"namespace": self.real.cluster.namespace}
        selector = {"labelSelector": f"workflows.argoproj.io/workflow={workflow}"}
        return list((await self.real.admin.send(Request("GET", PODS, names, selector)))["items"])

    async def delete(self, route: str, name: str, **query: str) -> None:
        names = {"namespace": self.real.cluster.namespace, "name": name}
        await self.real.admin.send(Request("DELETE", f"{route}/{{name}}", names, query))

    async def patch(self, route: str, name: str, patch: JsonObject) -> None:
        names = {"namespace": self.real.cluster.namespace, "name": name}
        request = Request("PATCH", f"{route}/{{name}}", names, body=patch, content_type=MERGE_PATCH)
        await self.real.admin.send(request)

    async def eventually(self, look: Callable[[], Awaitable[T]]) -> T:
        """Wait until a look at the cluster finds something."""
        async with asyncio.timeout(self.patience_seconds):
            while not (found := await look()):
                await asyncio.sleep(0.1)
        return found

    async def in_progress(self, sha: str) -> CheckRun:
        """Wait until GitHub was told that the commit's build runs."""
        await self.until(lambda: any(run.status == "in_progress" for run in self.runs(sha)))
        return next(run for run in self.runs(sha) if run.status == "in_progress")

    async def clean(self) -> None:
        """Delete what the test made."""
        real = self.real
        selector = {"labelSelector": f"managedBy={real.config.managed_by}"}
        for route in (WORKFLOWS, CLAIMS):
            names = {"namespace": real.cluster.namespace}
            await real.admin.send(Request("DELETE", route, names, selector))


@asynccontextmanager
async def real_scene(cluster: RealCluster, folder: Path, **settings: Any) -> AsyncIterator[RealScene]:
    """Give a scene whose server does not run yet; `settings` are those of the configuration."""
    kubeconfig = await asyncio.to_thread(_with_least_rights, cluster, folder / "kubeconfig")
    app = _app()
    config = Config(
        build_branches=Pattern("."),
        namespace=cluster.namespace,
        managed_by=folder.name[:60].strip("-_."),
    )
    async with (
        LocalGitHub(folder / "repositories", app=app, webhook_secret=WEBHOOK_SECRET) as github,
        connect(kubeconfig=str(cluster.kubeconfig), trust_env=False) as admin,
    ):
        options = Options(
            app_id=app.id,
            private_key=app.private_key or "",
            webhook_secret=WEBHOOK_SECRET.encode(),
            github_url=github.api_url,
            store_url=f"sqlite:///{folder / 'kubeci.db'}",
            kubeconfig=kubeconfig,
            listen_host="127.0.0.1",
        )
        await github.create_repository(REPOSITORY)
        config = msgspec.structs.replace(config, **settings)
        scene = RealScene(RealPlace(github, cluster, admin, options, config))
        if cluster.plane is None:
            scene.patience_seconds = 180.0  # images are pulled there
        try:
            yield scene
        finally:
            await scene.clean()


@cache
def _app() -> App:
    return new_app()  # a key takes a while to be found


def _with_least_rights(cluster: RealCluster, path: Path) -> Path:
    for name in ("kubeci.yaml", "workflow-pods.yaml"):
        cluster.kubectl("apply", "--filename", str(RBAC / name))
    kubeconfig = cluster.kubectl.kubeconfig_of(ACCOUNT, path)
    note_token(cluster, kubeconfig)
    return kubeconfig
