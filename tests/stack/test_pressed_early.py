"""A button is pressed on a check-run whose creation was not answered, so that no record holds its id."""

from __future__ import annotations

from tests_stack import PASSING
from world import Step, World


async def test_cancel_reaches_the_build(world: World) -> None:
    world.github_fault("POST", "/check-runs$", after=True, delay_seconds=0.3)
    sha = await world.push(PASSING)
    run = await world.until(lambda: next(iter(world.runs(sha)), None))
    await world.stack.github.press(run.id, "cancel")
    # Another delivery of the commit may be quicker than the button: then the workflow that it made is stopped.
    await world.until(lambda: run.status == "completed" or stopped(world))
    for name in stopped(world):
        world.status(name, "Failed", Step("build", "Failed"))
    await world.concluded(sha)
    await world.quiet()
    assert [each.conclusion for each in world.runs(sha)] == ["cancelled"]


def stopped(world: World) -> list[str]:
    return [each["metadata"]["name"] for each in world.workflows() if each["spec"].get("shutdown")]
