"""Check-runs that no workflow would ever finish: each ends, once, whatever became of the work that began it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from lacking import ARGO, build, figure, summary, world_without
from structlog.testing import capture_logs
from tests_stack import PASSING, REPOSITORY
from world import FAST, LINES, NAMESPACE, NEVER, Step, World, once

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.state import CheckRun
from kubeci.workflow import metadata

PACE = replace(FAST, lost_seconds=0.05)
POST_RUN, PATCH_RUN, POST_WORKFLOW = (
    ("POST", "/check-runs$"),
    ("PATCH", "/check-runs/"),
    ("POST", r"/workflows\?"),
)
PARK = "UPDATE deliveries SET state = 'parked', reason = 'KeyError: secret'"
FORGET = "DELETE FROM deliveries"
AS_BY_API = "UPDATE builds SET delivery_id = '', what = 'api', created_at = created_at - 600"


def change(world: World, *statements: str) -> None:
    """Change the store while no server uses it."""
    assert world.life is None
    with closing(sqlite3.connect(world.stack.options.store_url.removeprefix("sqlite:///"))) as store, store:
        for statement in statements:
            store.execute(statement)


def posts(world: World) -> int:
    """Count how often the cluster was asked for a workflow."""
    asked = world.stack.cluster.requests
    return sum(each.method == "POST" and each.path.endswith("/workflows") for each in asked)


async def ended(world: World, sha: str) -> CheckRun:
    """Wait until a commit's check-run is concluded and no build is left; it is the only one."""
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "completed"])
    await world.until(
        lambda: not world.stored("SELECT id FROM builds WHERE state NOT IN ('finished', 'lost', 'skipped')")
    )
    runs: list[CheckRun] = world.runs(sha)
    assert len(runs) == 1
    return runs[0]


@dataclass(frozen=True)
class Point:
    """Where the server is killed: a fault makes it hang there."""

    name: str
    at_github: bool
    how: dict[str, Any]


NO_RUN = Point("check-run created, not recorded", True, {"after": True})
NO_WORKFLOW = Point("workflow not created", False, {"status": 500})
NO_UID = Point("workflow created, not recorded", False, {"after": True, "drop": True})


async def killed_at(world: World, point: Point) -> str:
    """Push, and kill the server at a point; gives the commit."""
    if point.at_github:
        world.github_fault(*POST_RUN, delay_seconds=NEVER, **point.how)
    else:
        world.stack.cluster.faults.add(*POST_WORKFLOW, delay_seconds=NEVER, **point.how)
    sha: str = await world.push(PASSING)
    if point.at_github:
        await world.until(lambda: world.api_calls("POST", "/check-runs"))
    else:
        await world.until(lambda: posts(world))
    await world.kill()
    world.stack.cluster.faults.clear()
    return sha


@pytest.mark.parametrize("fate", [PARK, FORGET], ids=["parked", "gone"])
@pytest.mark.parametrize("point", [NO_RUN, NO_WORKFLOW], ids=lambda point: point.name)
async def test_what_nobody_works_on_any_more_is_told_to_be_lost(
    world: World, point: Point, fate: str
) -> None:
    sha = await killed_at(world, point)
    change(world, fate)
    with capture_logs() as logs:
        await world.start(PACE)
        run = await ended(world, sha)
    [line] = [line for line in logs if line["event"] == "a build was lost"]
    assert line["reason"] == ("KeyError: secret" if fate == PARK else "")
    assert await figure(world, "kubeci_builds_lost_total") == 1
    assert await figure(world, "kubeci_deliveries_parked") == len(world.deliveries("parked"))
    assert (run.conclusion, run.output["title"]) == ("cancelled", "Workflow Lost")
    assert "the server broke off" in summary(run)
    assert "Re-run this check" in summary(run)
    assert "secret" not in summary(run)
    assert world.workflows() == []
    await world.stack.github.rerequest(run.id)
    world.status(await world.submitted(), "Succeeded")
    await world.until(lambda: [each.conclusion for each in world.runs(sha)] == ["cancelled", "success"])


@pytest.mark.parametrize("phase", ["Running", "Failed", "deleted"])
async def test_a_workflow_whose_uid_nobody_noted_is_found(world: World, phase: str) -> None:
    sha = await killed_at(world, NO_UID)
    name = await world.submitted()
    change(world, PARK, "UPDATE builds SET workflow_uid = ''")  # which a watch may have noted just before
    if phase == "deleted":
        world.delete(name)
    elif phase == "Failed":
        world.status(name, "Failed", Step("a", "Failed", log=LINES))
    await world.start(PACE)
    if phase == "Running":
        await world.until(lambda: world.stored("SELECT id FROM builds WHERE workflow_uid != ''"))
        world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await ended(world, sha)
    assert run.conclusion == ("cancelled" if phase == "deleted" else "failure")
    if phase != "deleted":
        await once(world, sha)


async def test_a_workflow_that_another_made_under_the_name_is_not_taken(world: World) -> None:
    sha = await killed_at(world, NO_WORKFLOW)
    [(name,)] = world.stored("SELECT workflow_name FROM builds")
    theirs = {"metadata": {"name": name, "annotations": {metadata.BUILD_ID: "guessed"}}, "spec": {}}
    world.stack.cluster.objects.create(WORKFLOWS, NAMESPACE, theirs)
    change(world, PARK)
    await world.start(PACE)
    assert (await ended(world, sha)).output["title"] == "Workflow Lost"


async def test_what_a_request_of_the_api_left_behind_ends_after_some_minutes(world: World) -> None:
    sha = await killed_at(world, NO_WORKFLOW)
    change(world, FORGET, AS_BY_API, "UPDATE builds SET created_at = created_at + 590")
    await world.start(PACE)
    other = await world.push(PASSING, branch="other")
    world.status(await world.submitted(), "Succeeded")
    await world.until(lambda: [run for run in world.runs(other) if run.conclusion])
    assert [run.status for run in world.runs(sha)] == ["queued"]
    await world.kill()
    change(world, AS_BY_API + " WHERE sha = '" + sha + "'")
    await world.start(PACE)
    assert (await ended(world, sha)).output["title"] == "Workflow Lost"


async def test_a_lost_build_that_is_replayed_gets_a_check_run_of_its_own(world: World) -> None:
    sha = await killed_at(world, NO_WORKFLOW)
    change(world, PARK)
    await world.start(PACE)
    await ended(world, sha)
    await world.kill()
    change(world, "UPDATE deliveries SET state = 'waiting', attempts = 0, reason = ''")
    await world.start(PACE)
    world.status(await world.submitted(), "Succeeded", Step("a"))
    await world.until(lambda: [run.conclusion for run in world.runs(sha)] == ["cancelled", "success"])
    assert len({run.name for run in world.runs(sha)}) == len(world.workflows()) == 1


async def test_a_stopped_build_that_nobody_works_on_is_cancelled(world: World) -> None:
    sha = await killed_at(world, NO_WORKFLOW)
    change(world, PARK, "UPDATE builds SET stopped = 'cancelled by octocat'")
    await world.start(PACE)
    run = await ended(world, sha)
    assert run.conclusion == "cancelled"
    assert "cancelled by octocat" in summary(run)


DEPLOYABLE = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {annotations: {kube-ci.qutics.com/deployTemplates: ^ship}}
spec:
  entrypoint: ci
  templates:
    - {name: ci, container: {image: alpine}}
    - {name: ship, inputs: {parameters: [{name: environment}]}, container: {image: alpine}}
"""


async def test_a_deployment_is_told_that_the_build_it_asked_for_was_lost(world: World) -> None:
    sha = await world.push({".kube-ci/ci.yaml": DEPLOYABLE})
    world.status(await world.submitted(), "Succeeded", Step("a"))
    await world.finished(sha)
    world.stack.cluster.faults.add(*POST_WORKFLOW, status=500, delay_seconds=NEVER)
    asked = await world.stack.github.deploy(
        REPOSITORY, "main", task="ship", environment="qa", payload={"kube_ci": {"run": True}}
    )
    await world.until(lambda: posts(world) == 2)
    await world.kill()
    world.stack.cluster.faults.clear()
    change(world, PARK + " WHERE event = 'deployment'")
    await world.start(PACE)
    await world.until(lambda: [each.state for each in asked.statuses] == ["error"])
    await world.until(lambda: [run.conclusion for run in world.runs(sha)] == ["success", "cancelled"])
    assert "the server broke off" in asked.statuses[0].description
    assert len(world.workflows()) == 1


async def test_github_may_refuse_to_conclude_a_check_run_for_a_while(tmp_path: Path) -> None:
    async with world_without(tmp_path, ("create", ARGO, "workflows")) as world:
        await world.start(PACE)
        run, _ = await build(world)
        refused = world.github_fault(*PATCH_RUN, status=502, times=12)
        world.github_fault("POST", "/graphql", status=404, times=10**6)
        await world.until(lambda: world.deliveries("parked"))
        assert run.status == "queued"
        assert (await ended(world, run.suite.head_sha)).conclusion == "cancelled"
        assert refused.times <= 0


async def test_what_waits_for_the_cluster_is_not_lost(tmp_path: Path) -> None:
    async with world_without(tmp_path, ("create", ARGO, "workflows")) as world:
        await world.start(replace(PACE, lost_seconds=0.005))
        run, _ = await build(world)
        asked = posts(world)
        await world.until(lambda: posts(world) > asked + 5)
        assert run.status == "queued"
        assert not world.stored("SELECT id FROM builds WHERE state = 'lost'")
