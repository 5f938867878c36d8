"""A real API server that lacks what the server needs: rights one by one, Argo's definitions, the namespace, itself."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from control_plane import control_plane
from github_scene import REPOSITORY
from given_cluster import RealCluster, missing_tools, tools_folder
from played import build, files, manifest, step
from real_scene import PACE, RBAC, WORKFLOWS, RealPlace, RealScene, real_scene

from kubeci.cluster.connect import connect
from kubeci.cluster.list_watch import Timing
from kubeci.local.github.auth import new_app
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import WEBHOOK_SECRET
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.settings.pattern import Pattern

pytestmark = pytest.mark.cluster
ARGO = "argoproj.io"
SOON = replace(PACE, watch=Timing(backoff_cap=1.0))
Right = tuple[str, str, str]
"""Verb, API group, resource with its subresource."""
MISSED: dict[Right, str] = {
    ("create", ARGO, "workflows"): "build",
    ("get", ARGO, "workflows"): "",  # needed when an answer was lost, and for what the watch does not bring
    ("list", ARGO, "workflows"): "follow",
    ("watch", ARGO, "workflows"): "",  # lists bring the same, later
    ("patch", ARGO, "workflows"): "cancel",
    ("get", ARGO, "workflowtemplates"): "template",
    ("get", "", "pods/log"): "log",
    ("get", "", "persistentvolumeclaims"): "cache",
    ("list", "", "persistentvolumeclaims"): "clear",
    ("create", "", "persistentvolumeclaims"): "cache",
    ("delete", "", "persistentvolumeclaims"): "clear",
    ("list", "", "pods"): "clear",
    ("delete", "", "pods"): "clear",
}
"""Where each right is missed: in what the check-run of that place says, and in no other."""
LATE = "late"
"""A namespace that is not there at first."""
ENDED = "2026-01-01T00:00:00Z"
AT_ONCE = 4
"""Servers that run beside each other."""


def rules() -> list[dict[str, Any]]:
    documents = yaml.safe_load_all((RBAC / "kubeci.yaml").read_text())
    return list(next(each for each in documents if each["kind"] == "Role")["rules"])


def without(right: Right) -> list[dict[str, Any]]:
    """The rules of rbac/ without one verb."""
    verb, group, resource = right
    left = [
        each | {"verbs": [other for other in each["verbs"] if other != verb]}
        if (each["apiGroups"], each["resources"]) == ([group], [resource])
        else each
        for each in rules()
    ]
    return [each for each in left if each["verbs"]]


def words(right: Right, namespace: str) -> str:
    verb, group, resource = right
    named = f"{resource}.{group}" if group else resource
    return (
        f"the server may not {verb} {resource} in the namespace {namespace}: its role lacks `{verb} {named}`; "
        f"kubectl apply --namespace {namespace} --filename rbac/kubeci.yaml"
    )


def account(name: str, granted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A service account with a role of its own."""
    meta = {"name": name, "labels": {"kubeci.test": "bad-cluster"}}
    subject = {"kind": "ServiceAccount", "name": name}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": meta}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {**rbac, "kind": "Role", "rules": granted},
        {**rbac, "kind": "RoleBinding", "roleRef": role, "subjects": [subject]},
    ]


TEMPLATE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "WorkflowTemplate",
    "metadata": {"name": "shared", "labels": {"kubeci.test": "bad-cluster"}},
    "spec": {"entrypoint": "ci", "templates": [step("ci")]},
}


@pytest.fixture
def accounts(real_cluster: RealCluster) -> Iterator[None]:
    """A service account for each right that it does not have."""
    made = [part for number, right in enumerate(MISSED) for part in account(f"bad-{number}", without(right))]
    listed = {"apiVersion": "v1", "kind": "List", "items": [*made, TEMPLATE]}
    real_cluster.kubectl("apply", "--filename", "-", given=json.dumps(listed))
    yield
    kinds = "serviceaccounts,roles,rolebindings,workflowtemplates"
    real_cluster.kubectl("delete", kinds, "--selector=kubeci.test=bad-cluster")


@pytest.mark.usefixtures("accounts")
async def test_each_right_that_is_missing_is_told_where_it_is_missed_and_breaks_nothing_else(
    real_cluster: RealCluster, tmp_path: Path
) -> None:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, right: Right) -> dict[str, str]:
        async with at_once:
            found = await found_without(real_cluster, folder(tmp_path, number), f"bad-{number}")
            usual = words(right, real_cluster.namespace)
            return {place: usual if usual in told else told for place, told in found.items()}

    found = await asyncio.gather(*(one(number, right) for number, right in enumerate(MISSED)))
    namespace = real_cluster.namespace
    expected = [{place: words(right, namespace)} if place else {} for right, place in MISSED.items()]
    assert found == expected


def folder(parent: Path, number: int) -> Path:
    made = parent / f"{parent.name[-20:]}-{number}"
    made.mkdir()
    return made


async def found_without(cluster: RealCluster, place: Path, name: str) -> dict[str, str]:
    """Do all that needs a right as an account; gives by place what is told where it does not go as usual."""
    async with real_scene(cluster, place) as scene:
        kubeconfig = await asyncio.to_thread(cluster.kubectl.kubeconfig_of, name, place / "its-kubeconfig")
        scene.real = replace(scene.real, options=replace(scene.real.options, kubeconfig=kubeconfig))
        async with scene.serving(SOON):
            found = await everything(scene)
    assert "serviceaccount" not in str(found)
    return {place: told for place, told in found.items() if told}


async def everything(scene: RealScene) -> dict[str, str]:
    run = await the_run(scene, build(step("ci", seconds=60)), "main")
    await scene.until(
        lambda: (
            "Waiting" in summary(run) or "may not list workflows" in summary(run) or run.status != "queued"
        )
    )
    if run.status == "queued":
        return {"build" if "Waiting" in summary(run) else "follow": summary(run)}
    assert run.status == "in_progress"
    cancelled = await cancel(scene, run)
    cached, cleared, unread = await build_with_a_cache(scene)
    referring = manifest(step("ci"))
    referring["spec"] = {"entrypoint": "ci", "workflowTemplateRef": {"name": "shared"}}
    run = await the_run(scene, files(referring), "referring")
    await scene.until(lambda: run.status == "completed")
    template = "" if run.conclusion == "success" else summary(run)
    return {"cancel": cancelled, "cache": cached, "clear": cleared, "log": unread, "template": template}


async def cancel(scene: RealScene, run: CheckRun) -> str:
    await scene.place.github.press(run.id, "cancel")
    await scene.until(lambda: run.status == "completed" or "pressed Cancel" in summary(run))
    if run.status == "completed":
        assert run.conclusion == "cancelled"
        return ""
    told = summary(run)
    await scene.patch(WORKFLOWS, run.details_url.rpartition("/")[2], {"spec": {"shutdown": "Terminate"}})
    await scene.until(lambda: run.status == "completed")
    return told


async def build_with_a_cache(scene: RealScene) -> tuple[str, str, str]:
    """Build and clear the cache; gives what the check-run says of the build, of clearing, of the log."""
    mounted = {"volumeMounts": [{"name": "cache", "mountPath": "/cache"}]}
    own = {
        "cacheScope": "project",
        "cacheSize": "1Gi",
        "cacheName": scene.place.config.managed_by.replace("_", "-"),
    }
    document = manifest(step("ci", container=mounted), **own)
    claim = {"claimName": "{{workflow.parameters.cacheVolumeClaimName}}"}
    document["spec"]["volumes"] = [{"name": "cache", "persistentVolumeClaim": claim}]
    run = await the_run(scene, files(document), "cached")
    await scene.until(lambda: run.status == "completed")
    if run.conclusion != "success":
        return summary(run), "", ""
    unread = "" if run.annotations else summary(run)
    await scene.quiet()
    await scene.place.github.press(run.id, "clearCache")
    await scene.until(lambda: "Clear Cache" in summary(run) or "cleared the cache" in summary(run))
    return "", "" if "cleared the cache: 1 cache volume deleted" in summary(run) else summary(run), unread


async def the_run(scene: RealScene, commit: dict[str, str], branch: str) -> CheckRun:
    """Push a commit and wait for its check-run."""
    # A commit of another test may be the same but for this, and its workflow then has the same name.
    sha = await scene.push(commit | {"scene": scene.place.config.managed_by}, branch=branch)
    run: CheckRun
    [run] = await scene.until(lambda: scene.runs(sha))
    return run


def summary(run: CheckRun) -> str:
    return str(run.output.get("summary"))


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
