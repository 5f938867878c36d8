"""A real API server without what the server needs: Argo's definitions, the namespace, itself; then it comes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from control_plane import control_plane
from github_scene import REPOSITORY
from given_cluster import RealCluster, missing_tools, tools_folder
from lacking_real import SOON, summary, the_run
from played import build, files, manifest, step
from real_scene import WORKFLOWS, RealPlace, RealScene

from kubeci.cluster.connect import connect
from kubeci.local.github.auth import new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import WEBHOOK_SECRET
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.settings.pattern import Pattern

pytestmark = pytest.mark.cluster
LATE = "late"
"""A namespace that is not there at first."""
ENDED = "2026-01-01T00:00:00Z"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[RealCluster]:
    """A control plane of its own, without Argo's definitions."""
    tools = tools_folder()
    if os.environ.get("KUBECI_TEST_KUBECONFIG") or missing_tools(tools):
        pytest.skip("needs a control plane of its own: `make cluster-tools`")
    plane_folder, nothing = tmp_path / "plane", tmp_path / "nothing"
    plane_folder.mkdir()
    nothing.mkdir()
    with control_plane(plane_folder, tools, nothing) as plane:
        yield RealCluster(plane_folder, plane.kubeconfig, plane, namespace=LATE)


async def test_what_the_cluster_lacks_is_told_and_when_it_comes_the_server_goes_on(
    bare: RealCluster, tmp_path: Path
) -> None:
    """Without definitions, the namespace, the API server; then all of it, one after the other."""
    async with an_admin(bare, tmp_path) as scene, scene.serving(SOON):
        run = await the_run(scene, build(step("ci")), "main")
        await said(scene, run, "the cluster knows no Argo workflows: install Argo's definitions")
        await asyncio.to_thread(define, bare, "minimal")
        await said(scene, run, f"there is no namespace {LATE}: kubectl create namespace {LATE}")
        assert bare.plane
        await asyncio.to_thread(bare.plane.stop, "kube-apiserver")
        await said(scene, run, "the cluster's API server cannot be reached")
        await asyncio.to_thread(bare.plane.start, "kube-apiserver")
        await asyncio.to_thread(bare.kubectl, "create", "namespace", LATE)
        await end(scene, run)
        # Whatever minimal definitions let pass, our own schema warns of.
        run = await the_run(scene, with_field("paralelism"), "misspelt")
        await end(scene, run)
        assert "`paralelism` is not a field" in summary(run)
        await asyncio.to_thread(define, bare, "full", "parallelism")
        run = await the_run(scene, with_field("parallelism"), "newer")
        await scene.until(lambda: run.status == "completed")
        assert 'unknown field "spec.parallelism"' in summary(run)
        assert "the cluster's Argo is an older one" in summary(run)


@asynccontextmanager
async def an_admin(cluster: RealCluster, folder: Path) -> AsyncIterator[RealScene]:
    """A scene whose server may do everything, in a cluster where roles could not be created yet."""
    app = new_app()
    config = Config(build_branches=Pattern("."), namespace=cluster.namespace)
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
            kubeconfig=cluster.kubeconfig,
            listen_host="127.0.0.1",
        )
        await github.create_repository(REPOSITORY)
        yield RealScene(RealPlace(github, cluster, admin, options, config))


async def said(scene: RealScene, run: CheckRun, told: str) -> None:
    """Wait until a queued check-run says something, and no more than anybody may read."""
    await scene.until(lambda: told in summary(run))
    assert run.status == "queued"
    assert "127.0.0.1" not in summary(run)


async def end(scene: RealScene, run: CheckRun) -> None:
    """Write that a workflow has ended, as Argo's controller does; its check-run follows."""
    name = run.details_url.rpartition("/")[2]

    async def there() -> bool:
        return name in {each["metadata"]["name"] for each in await scene.workflows()}

    await scene.eventually(there)
    status = {"phase": "Succeeded", "startedAt": ENDED, "finishedAt": ENDED}
    await scene.patch(WORKFLOWS, name, {"status": status})
    await scene.until(lambda: run.status == "completed")
    assert run.conclusion == "success"


def with_field(name: str) -> dict[str, str]:
    document = manifest(step("ci"))
    document["spec"][name] = 1
    return files(document)


def define(cluster: RealCluster, kind: str, *older: str) -> None:
    """Install Argo's definition of a workflow, without some fields of its spec, as an older Argo has it."""
    path = tools_folder() / "crds" / kind / "argoproj.io_workflows.yaml"
    definition = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    for field in older:
        [version] = definition["spec"]["versions"]
        del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][field]
    # Not applied: their size is over what the annotation of `apply` may hold.
    cluster.kubectl("replace" if older else "create", "--filename", "-", given=json.dumps(definition))
