"""The answer to a workflow's creation is lost, and for a while nobody can ask again: it runs all the same."""

from __future__ import annotations

import pytest
from tests_stack import PASSING
from world import Step, World

POST_WORKFLOW = ("POST", r"/workflows\?")


async def unanswered(world: World) -> tuple[str, str]:
    """Push; give sha and the name of the workflow, which the server is told nothing of until the faults are over."""
    faults = world.stack.cluster.faults
    faults.add(*POST_WORKFLOW, drop=True, after=True)
    faults.add(*POST_WORKFLOW, status=503, times=1000)
    sha = await world.push(PASSING)
    return sha, await world.submitted()


@pytest.mark.parametrize("ends", [False, True], ids=["runs on", "ended meanwhile"])
async def test_what_is_seen_to_run_is_ours(world: World, ends: bool) -> None:
    sha, name = await unanswered(world)
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    if ends:
        world.status(name, "Succeeded", Step("a"))
        await world.concluded(sha)
    world.stack.cluster.faults.clear()
    await world.quiet()
    world.status(name, "Succeeded", Step("a"))
    run = await world.finished(sha)
    assert (run.conclusion, len(world.runs(sha)), len(world.workflows())) == ("success", 1, 1)
    assert world.deliveries("parked") == []
    assert world.stored("SELECT id FROM builds WHERE workflow_uid = ''") == []


async def test_cancel_stops_what_is_seen_to_run(world: World) -> None:
    sha, name = await unanswered(world)
    world.status(name, "Running", Step("a", "Running"))
    run = await world.until(
        lambda: next((run for run in world.runs(sha) if run.status == "in_progress"), None)
    )
    await world.stack.github.press(run.id, "cancel")
    await world.until(lambda: "shutdown" in world.workflows()[0]["spec"])
    world.status(name, "Failed", Step("a", "Failed", log="src/a.py:1: error: stopped\n"))
    world.stack.cluster.faults.clear()
    await world.quiet()
    await world.finished(sha)
    assert [each.conclusion for each in world.runs(sha)] == ["cancelled"]


async def test_what_is_cancelled_before_it_was_seen_is_reported_once(world: World) -> None:
    world.stack.cluster.silence()
    sha, name = await unanswered(world)
    run = await world.until(lambda: next(iter(world.runs(sha)), None))
    await world.stack.github.press(run.id, "cancel")
    await world.until(lambda: "shutdown" in world.workflows()[0]["spec"])
    world.status(name, "Failed", Step("a", "Failed", log="src/a.py:1: error: stopped\n"))
    world.stack.cluster.faults.clear()
    world.stack.cluster.cut_watches()
    await world.concluded(sha)
    await world.quiet()
    # What is seen later is dealt with later.
    other = await world.push({**PASSING, "x": "1"}, branch="other")
    world.status(await world.submitted(2), "Succeeded", Step("a", log="fine\n"))
    await world.finished(other)
    assert [each.conclusion for each in world.runs(sha)] == ["cancelled"]


async def test_what_ends_before_its_submission_does_lets_older_builds_go(world: World) -> None:
    older = await world.push({**PASSING, "x": "1"}, branch="topic")
    first = await world.submitted()
    world.status(first, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(older) if run.status == "in_progress"])
    await world.quiet()
    faults = world.stack.cluster.faults
    faults.add(*POST_WORKFLOW, drop=True, after=True)
    faults.add(*POST_WORKFLOW, status=503, times=1000)
    sha = await world.push({**PASSING, "x": "2"}, branch="topic")
    world.status(await world.submitted(2), "Succeeded", Step("a"))
    await world.concluded(sha)
    faults.clear()
    await world.quiet()
    await world.until(
        lambda: any(
            "shutdown" in each["spec"] for each in world.workflows() if each["metadata"]["name"] == first
        )
    )


async def test_what_is_said_too_late_of_its_waiting_sets_nothing_aside(world: World) -> None:
    world.github_fault("PATCH", "/check-runs/", delay_seconds=0.4)
    sha, name = await unanswered(world)
    await world.until(lambda: world.api_calls("PATCH", "/check-runs/"))
    world.status(name, "Succeeded", Step("a"))
    await world.concluded(sha)
    world.stack.cluster.faults.clear()
    await world.quiet()
    assert world.deliveries("parked") == []
    assert [run.conclusion for run in world.runs(sha)] == ["success"]
