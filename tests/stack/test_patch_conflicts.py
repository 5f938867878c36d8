"""The API server answers a patch with 409, which names no version: it is asked again."""

from __future__ import annotations

from tests_stack import PASSING
from world import Step, World


async def test_cancel_is_not_given_up_for_a_conflict(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    run = await world.until(
        lambda: next((run for run in world.runs(sha) if run.status == "in_progress"), None)
    )
    await world.quiet()
    world.stack.cluster.faults.add("PATCH", "/workflows/", status=409, times=2)
    await world.stack.github.press(run.id, "cancel")
    await world.until(lambda: world.workflows()[0]["spec"].get("shutdown") == "Stop")
