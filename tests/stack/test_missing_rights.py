"""A cluster that does not grant a right: it is told where it is missed, and nothing else breaks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from lacking import ARGO, Right, build, summary, the_run, words, world_without
from test_cache_volumes import NAMED, cached
from world import FAST, NAMESPACE, Step, World

from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOW_TEMPLATES
from kubeci.local.github.state import CheckRun

ROLE = Path(__file__).parents[2] / "rbac" / "kubeci.yaml"


def granted() -> list[Right]:
    [role] = [each for each in yaml.safe_load_all(ROLE.read_text()) if each["kind"] == "Role"]
    return [
        (verb, group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


async def cancel_one_that_runs(world: World, run: CheckRun) -> str:
    name = run.details_url.rpartition("/")[2]
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: run.status == "in_progress")
    await world.stack.github.press(run.id, "cancel")
    await world.until(lambda: "shutdown" in world.workflows()[0]["spec"] or "pressed Cancel" in summary(run))
    told = summary(run) if "pressed Cancel" in summary(run) else ""
    world.status(name, "Failed", Step("a", "Failed", log="src/a.py:1: one\n"))
    await world.until(lambda: run.status == "completed")
    # What was not stopped failed by itself.
    assert run.conclusion == ("failure" if told else "cancelled")
    return told


async def build_with_a_cache(world: World) -> tuple[str, str]:
    """Build on a branch and clear its cache; gives what the check-run says of either that does not go as usual."""
    before = len(world.workflows())
    run = await the_run(world, await world.push(cached(**NAMED), branch="cached"))
    await world.until(lambda: len(world.workflows()) > before or run.status == "completed")
    if run.status == "completed":
        return summary(run), ""
    name = run.details_url.rpartition("/")[2]
    [claim] = [each["metadata"]["name"] for each in world.stack.cluster.objects.list(CLAIMS, NAMESPACE)]
    await world.quiet()
    world.stack.cluster.objects.create(PODS, NAMESPACE, holding(claim))
    world.status(name, "Succeeded", Step("a"))
    await world.until(lambda: run.status == "completed")
    await world.quiet()
    await world.stack.github.press(run.id, "clearCache")
    await world.until(lambda: "Clear Cache" in summary(run) or "cleared the cache" in summary(run))
    return "", "" if "cleared the cache: 1 cache volume deleted" in summary(run) else summary(run)


def holding(claim: str) -> dict[str, Any]:
    """An ended pod of a workflow that holds a claim."""
    volumes = [{"name": "cache", "persistentVolumeClaim": {"claimName": claim}}]
    spec = {"containers": [{"name": "main", "image": "alpine"}], "volumes": volumes}
    labels = {"workflows.argoproj.io/workflow": "ended"}
    return {"metadata": {"name": "holder", "labels": labels}, "spec": spec, "status": {"phase": "Succeeded"}}


async def refer_to_a_template(world: World) -> str:
    spec = {"entrypoint": "ci", "templates": [{"name": "ci", "container": {"image": "alpine"}}]}
    template = {"metadata": {"name": "shared"}, "spec": spec}
    world.stack.cluster.objects.create(WORKFLOW_TEMPLATES, NAMESPACE, template)
    before = len(world.workflows())
    run = await the_run(world, await world.push({".kube-ci/ci.yaml": REFERRING}, branch="referring"))
    await world.until(lambda: len(world.workflows()) > before or run.status == "completed")
    return summary(run) if run.status == "completed" else ""


REFERRING = yaml.safe_dump(
    {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {"entrypoint": "ci", "workflowTemplateRef": {"name": "shared"}},
    }
)
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


OF_REPLICAS = "coordination.k8s.io"
"""What replicas that share a store agree by; the only one on SQLite, as here, never asks for it (tests/rbac)."""


def test_the_table_is_the_role() -> None:
    assert sorted(MISSED) == sorted(right for right in granted() if right[1] != OF_REPLICAS)


async def test_each_right_that_is_missing_is_told_where_it_is_missed_and_breaks_nothing_else(
    tmp_path: Path,
) -> None:
    found = await asyncio.gather(
        *(without(folder_in(tmp_path, number), right) for number, right in enumerate(MISSED))
    )
    expected = [{place: words(*right)} if place else {} for right, place in MISSED.items()]
    assert found == expected


def folder_in(folder: Path, number: int) -> Path:
    made = folder / str(number)
    made.mkdir()
    return made


async def without(folder: Path, right: Right) -> dict[str, str]:
    """Do all that needs a right in a cluster that does not grant one; gives by place what is told of it."""
    async with world_without(folder, right) as world:
        listless = right == ("list", ARGO, "workflows")
        await world.start(replace(FAST, unfollowed_seconds=0.1) if listless else FAST)
        found = await everything(world)
    assert "serviceaccount" not in str(found)
    return {place: words(*right) if words(*right) in told else told for place, told in found.items() if told}


async def everything(world: World) -> dict[str, str]:
    """Do all that needs a right, and give by place what a check-run says where it does not go as usual."""
    run, told = await build(world)
    if told:
        return {"build": told}
    if world.stack.cluster.further_users[0].denied == {("list", ARGO, "workflows")}:
        await world.until(lambda: "do not reach the server" in summary(run))
        return {"follow": summary(run)}
    found = {"cancel": await cancel_one_that_runs(world, run), "log": "" if run.annotations else summary(run)}
    found["cache"], found["clear"] = await build_with_a_cache(world)
    return found | {"template": await refer_to_a_template(world)}
