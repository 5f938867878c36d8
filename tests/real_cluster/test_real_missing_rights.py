"""A real API server that does not grant a right: it is told where it is missed, and nothing else breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from given_cluster import RealCluster
from lacking_real import SOON, summary, the_run
from played import build, files, manifest, step
from real_scene import RBAC, WORKFLOWS, RealScene, real_scene

from kubeci.local.github.state import CheckRun

pytestmark = pytest.mark.cluster
ARGO = "argoproj.io"
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
        "`kubeci doctor` prints the command that grants it"
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
    # Each scene applies them; beside each other, two would create the same.
    for name in ("kubeci.yaml", "workflow-pods.yaml"):
        real_cluster.kubectl("apply", "--filename", str(RBAC / name))
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
