"""What people press at GitHub and do in the cluster, on the real thing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from given_cluster import RealCluster
from played import LONG, PASSING, build, files, manifest, step
from real_scene import WORKFLOWS, RealScene, real_scene

from kubeci.local.github.state import CheckRun

pytestmark = pytest.mark.cluster

EXTRAS = build(step("ci"), step("smoke"), step("sign-off"), manualTemplates=".", essentialTemplates="^sign")


@pytest.fixture
async def ci(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene, scene.serving():
        yield scene


def latest(ci: RealScene, sha: str, name: str) -> CheckRun:
    return [run for run in ci.runs(sha) if run.name == f"Workflow - {name}"][-1]


async def shutdown_of(ci: RealScene, name: str) -> str:
    [found] = [each for each in await ci.workflows() if each["metadata"]["name"] == name]
    return str(found["spec"].get("shutdown", ""))


def workflow_of(run: CheckRun) -> str:
    return run.details_url.rpartition("/")[2]


async def test_manual_steps_are_offered_run_and_skipped(ci: RealScene) -> None:
    sha = await ci.push(EXTRAS, branch="topic")
    await ci.concluded(sha, count=3)
    offers = {run.name: run.conclusion for run in ci.runs(sha)[1:]}
    assert offers == {"Workflow - smoke": "neutral", "Workflow - sign-off": "action_required"}
    github = ci.place.github
    await github.press(latest(ci, sha, "smoke").id, "run")
    run = await ci.concluded(sha, count=4)
    assert (run.name, run.conclusion, run.external_id) == ("Workflow - smoke", "success", "smoke")
    await github.press(latest(ci, sha, "sign-off").id, "skip")
    await ci.until(lambda: latest(ci, sha, "sign-off").output["title"] == "Manual Step - Skipped")
    assert latest(ci, sha, "sign-off").conclusion == "neutral"
    entrypoints = sorted(each["spec"]["entrypoint"] for each in await ci.workflows())
    assert entrypoints == ["ci", "smoke"]


async def test_cancel_stops_and_exit_handlers_run(ci: RealScene) -> None:
    document = manifest(step("ci", seconds=120), step("tidy"))
    document["spec"]["onExit"] = "tidy"
    sha = await ci.push(files(document))
    run = await ci.in_progress(sha)
    await ci.place.github.press(run.id, "cancel")
    await ci.concluded(sha)
    assert (run.conclusion, "cancelled by octocat" in str(run.output["summary"])) == ("cancelled", True)
    assert await shutdown_of(ci, workflow_of(run)) == "Stop"
    phases = {node["templateName"]: node["phase"] for node in (await nodes(ci, workflow_of(run))).values()}
    assert phases == {"ci": "Failed", "tidy": "Succeeded"}


async def test_a_second_cancel_terminates(ci: RealScene) -> None:
    document = manifest(step("ci", seconds=120), step("tidy", seconds=120))
    document["spec"]["onExit"] = "tidy"
    sha = await ci.push(files(document))
    run = await ci.in_progress(sha)
    await ci.place.github.press(run.id, "cancel")

    async def tidying() -> bool:
        found = await nodes(ci, workflow_of(run))
        return {"ci", "tidy"} == {each["templateName"] for each in found.values()}

    await ci.eventually(tidying)
    await ci.place.github.press(run.id, "cancel")
    await ci.concluded(sha)
    assert run.conclusion == "cancelled"
    assert await shutdown_of(ci, workflow_of(run)) == "Terminate"


async def nodes(ci: RealScene, name: str) -> dict[str, Any]:
    [found] = [each for each in await ci.workflows() if each["metadata"]["name"] == name]
    return dict(found.get("status", {}).get("nodes") or {})


async def test_a_newer_build_of_a_branch_stops_the_older_one_alone(ci: RealScene) -> None:
    older = await ci.push(LONG)
    await ci.in_progress(older)
    beside = await ci.push(LONG | {"x": "y"}, branch="beside")
    await ci.in_progress(beside)
    newer = await ci.push(PASSING)
    stopped = await ci.concluded(older)
    assert (stopped.conclusion, "superseded by" in str(stopped.output["summary"])) == ("cancelled", True)
    assert (await ci.concluded(newer)).conclusion == "success"
    assert [run.status for run in ci.runs(beside)] == ["in_progress"]


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_a_workflow_that_was_deleted_by_hand_is_cancelled(ci: RealScene, propagation: str) -> None:
    sha = await ci.push(LONG)
    run = await ci.in_progress(sha)
    await ci.delete(WORKFLOWS, workflow_of(run), propagationPolicy=propagation)
    assert (await ci.concluded(sha)).conclusion == "cancelled"
    assert len(ci.runs(sha)) == 1


async def test_a_suspended_workflow_waits_and_goes_on(ci: RealScene) -> None:
    gate = {"name": "gate", "suspend": {}}
    calls = [[{"name": name, "template": name}] for name in ("gate", "after")]
    sha = await ci.push(build({"name": "ci", "steps": calls}, gate, step("after")))
    run = await ci.in_progress(sha)
    name = workflow_of(run)

    async def gated() -> dict[str, Any]:
        found = await nodes(ci, name)
        return next((each for each in found.values() if each["type"] == "Suspend"), {})

    waiting = await ci.eventually(gated)
    assert waiting["phase"] == "Running"
    assert run.status == "in_progress"
    done = {"nodes": {waiting["id"]: {**waiting, "phase": "Succeeded", "finishedAt": waiting["startedAt"]}}}
    await ci.patch(WORKFLOWS, name, {"status": done})  # what `argo resume` does to a node
    assert (await ci.concluded(sha)).conclusion == "success"
