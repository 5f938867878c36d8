"""The server is killed at every telling point; after its restart GitHub ends up as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
import pytest
from tests_stack import PASSING
from world import LINES, NEVER, Step, World, once

POST_RUN, PATCH_RUN = ("POST", "/check-runs$"), ("PATCH", "/check-runs/")
POST_WORKFLOW = ("POST", r"/workflows\?")


def asked(world: World, method: str, part: str, *, times: int = 1) -> Callable[[], bool]:
    return lambda: len(world.api_calls(method, part)) >= times


def asked_cluster(world: World, method: str) -> Callable[[], bool]:
    return lambda: any(each.method == method for each in world.stack.cluster.requests)


@dataclass(frozen=True)
class Point:
    """Where the server hangs when it is killed: `hang` makes it, `reached` sees it."""

    name: str
    hang: Callable[[World], object]
    reached: Callable[[World], Callable[[], bool]]


SUBMISSION = [
    Point(
        "delivery stored but not worked on",
        lambda world: world.github_fault("POST", "/graphql", status=500, delay_seconds=NEVER),
        lambda world: asked(world, "POST", "/graphql"),
    ),
    Point(
        "check-run not created",
        lambda world: world.github_fault(*POST_RUN, status=500, delay_seconds=NEVER),
        lambda world: asked(world, "POST", "/check-runs"),
    ),
    Point(
        "check-run created but not recorded",
        lambda world: world.github_fault(*POST_RUN, after=True, delay_seconds=NEVER),
        lambda world: asked(world, "POST", "/check-runs"),
    ),
    Point(
        "check-run recorded but workflow not created",
        lambda world: world.stack.cluster.faults.add(*POST_WORKFLOW, status=500, delay_seconds=NEVER),
        lambda world: asked_cluster(world, "POST"),
    ),
    Point(
        "workflow created but not recorded",
        lambda world: world.stack.cluster.faults.add(
            *POST_WORKFLOW, after=True, drop=True, delay_seconds=NEVER
        ),
        lambda world: asked_cluster(world, "POST"),
    ),
]


@pytest.mark.parametrize("point", SUBMISSION, ids=lambda point: point.name)
async def test_killed_during_submission(world: World, point: Point) -> None:
    point.hang(world)
    sha = await world.push(PASSING)
    await world.until(point.reached(world))
    await world.restart()
    name = await world.submitted()
    world.status(name, "Succeeded", Step("a", log=LINES))
    run = await world.concluded(sha)
    await world.quiet()
    await once(world, sha)
    assert (run.name, run.conclusion) == ("Workflow - ci", "success")


@pytest.mark.parametrize("phase", ["Running", "Failed", "deleted"])
async def test_killed_while_the_workflow_runs_and_started_when_it_is(world: World, phase: str) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    await world.quiet()
    await world.kill()
    if phase == "deleted":
        world.delete(name)
    elif phase == "Failed":
        world.status(name, "Failed", Step("a", "Failed", log=LINES))
    await world.start()
    if phase == "Running":
        world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await world.concluded(sha)
    assert run.conclusion == ("cancelled" if phase == "deleted" else "failure")
    if phase != "deleted":
        await once(world, sha)


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("arrived", [True, False])
async def test_killed_in_the_middle_of_sending_annotations(world: World, before: int, arrived: bool) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    await world.quiet()
    if before:
        world.github_fault(*PATCH_RUN, delay_seconds=0.001, times=before)
    world.github_fault(*PATCH_RUN, status=None if arrived else 500, after=arrived, delay_seconds=NEVER)
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    await world.until(asked(world, "PATCH", "/check-runs/", times=before + 1))
    await world.restart()
    run = await world.concluded(sha)
    assert run.conclusion == "failure"
    await once(world, sha)


async def test_killed_before_the_older_build_was_stopped(world: World) -> None:
    await world.push(PASSING)
    older = await world.submitted()
    world.status(older, "Running")
    await world.quiet()
    world.stack.cluster.faults.add("PATCH", "/workflows/", status=500, delay_seconds=NEVER)
    await world.push(PASSING | {"x": "y"})
    await world.submitted(2)
    await world.until(asked_cluster(world, "PATCH"))
    await world.restart()
    await world.until(lambda: [each for each in world.workflows() if each["spec"].get("shutdown") == "Stop"])
    assert [each["metadata"]["name"] for each in world.workflows() if "shutdown" in each["spec"]] == [older]
    await world.quiet()
    assert len(world.workflows()) == 2


async def test_killed_before_the_older_build_was_stopped_and_deleted_while_away(world: World) -> None:
    sha = await world.push(PASSING)
    older = await world.submitted()
    await world.quiet()
    world.stack.cluster.faults.add("PATCH", "/workflows/", status=500, delay_seconds=NEVER)
    newer_sha = await world.push(PASSING | {"x": "y"})
    newer = await world.submitted(2)
    await world.until(asked_cluster(world, "PATCH"))
    await world.kill()
    world.delete(newer)
    world.delete(older)
    await world.start()
    assert (await world.concluded(sha)).conclusion == "cancelled"
    assert (await world.concluded(newer_sha)).conclusion == "cancelled"
    await world.quiet()
    assert world.workflows() == []


@pytest.mark.parametrize("arrived", [True, False])
async def test_killed_while_a_wrong_definition_is_reported(world: World, arrived: bool) -> None:
    world.github_fault(*POST_RUN, status=None if arrived else 500, after=arrived, delay_seconds=NEVER)
    sha = await world.push({".kube-ci/ci.yaml": "kind: Workflow\nkind: Workflow\n"})
    await world.until(asked(world, "POST", "/check-runs"))
    await world.restart()
    run = await world.concluded(sha)
    await world.quiet()
    assert run.conclusion == "failure"
    assert [each.id for each in world.runs(sha)] == [run.id]
    assert len(run.annotations) == 1


async def test_retried_and_failed_again_while_away_is_a_new_check_run(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Failed", Step("a", "Failed", log="src/a.py:1: first\n"))
    first = await world.finished(sha)
    await world.kill()
    world.status(name, "Succeeded", Step("a", log="src/a.py:2: second\n", attempt=1))
    await world.start()
    second = await world.concluded(sha, count=2)
    assert (first.conclusion, second.conclusion, first.name) == ("failure", "success", second.name)
    assert [each["start_line"] for each in second.annotations] == [2]


async def test_retried_and_refused_again_while_away_is_a_new_check_run(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Error", Step("a", "Error", reached=False))
    first = await world.finished(sha)
    await world.kill()
    world.status(name, "Error", Step("a", "Error", reached=False, attempt=1))
    await world.start()
    second = await world.finished(sha, count=2)
    assert first.id != second.id
    await world.restart()
    await world.quiet()
    assert [each.conclusion for each in world.runs(sha)] == ["failure", "failure"]


async def test_killed_while_a_retry_gets_its_check_run(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Failed", Step("a", "Failed"))
    await world.finished(sha)
    world.github_fault(*POST_RUN, after=True, delay_seconds=NEVER)
    world.status(name, "Running", Step("a", "Running"))
    await world.until(asked(world, "POST", "/check-runs", times=2))
    await world.restart()
    world.status(name, "Succeeded", Step("a", attempt=1))
    run = await world.concluded(sha, count=2)
    assert [each.conclusion for each in world.runs(sha)] == ["failure", "success"]
    assert run.name == "Workflow - ci"


async def test_killed_while_sending_and_retried_while_away_leaves_the_first_failed(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    await world.quiet()
    world.github_fault(*PATCH_RUN, delay_seconds=0.001)
    world.github_fault(*PATCH_RUN, status=500, delay_seconds=NEVER)
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    await world.until(asked(world, "PATCH", "/check-runs/", times=2))
    await world.kill()
    world.status(name, "Running", Step("a", "Running"))
    await world.start()
    await world.until(lambda: len(world.runs(sha)) == 2)
    world.status(name, "Succeeded", Step("a", attempt=1))
    await world.finished(sha, count=2)
    assert [run.conclusion for run in world.runs(sha)] == ["failure", "success"]


async def test_a_definition_found_wrong_by_stricter_settings_concludes_the_open_check_run(
    world: World,
) -> None:
    world.stack.cluster.faults.add(*POST_WORKFLOW, status=500, delay_seconds=NEVER)
    text = str(PASSING[".kube-ci/ci.yaml"]).replace("image: alpine", "image: alpine\n      fooBarBaz: 1")
    sha = await world.push({".kube-ci/ci.yaml": text})
    await world.until(asked_cluster(world, "POST"))
    await world.kill()
    world.stack = replace(
        world.stack, config=msgspec.structs.replace(world.stack.config, strict_workflows=True)
    )
    await world.start()
    run = await world.finished(sha)
    assert (run.name, run.conclusion) == ("Workflow - ci", "failure")
    assert "fooBarBaz" in str(run.output["summary"])
    assert len(world.runs(sha)) == 1
    assert world.workflows() == []
