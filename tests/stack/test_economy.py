"""What a build costs GitHub, and what is left of it in our memory."""

from __future__ import annotations

import gc
from datetime import timedelta
from typing import TypeVar

import pytest
from tests_stack import PASSING
from world import Step, World

from kubeci.service.exclusive import Exclusive
from kubeci.service.queue import KeyedQueue

BUILDS = 20
T = TypeVar("T")


async def test_ten_steps_in_under_a_minute_cost_at_most_four_writes(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    for number in range(1, 10):
        done = [Step(f"s{each}", log=f"src/a.py:{each}: x\n") for each in range(number)]
        world.status(name, "Running", *done, Step(f"s{number}", "Running"))
        await world.until(lambda: "in_progress" in {run.status for run in world.runs(sha)})
    world.status(
        name, "Succeeded", *(Step(f"s{number}", log=f"src/a.py:{number}: x\n") for number in range(1, 11))
    )
    run = await world.finished(sha)
    assert len(world.api_calls("POST", "/check-runs")) + len(world.api_calls("PATCH", "/check-runs/")) <= 4
    assert len(run.annotations) == 10


@pytest.mark.parametrize(
    ("left", "ahead", "written"),
    [
        (1.0, timedelta(seconds=25), False),
        (1.0, timedelta(seconds=35), True),
        (0.5, timedelta(seconds=35), False),
        (0.5, timedelta(seconds=65), True),
        (0.1, timedelta(seconds=200), False),
        (0.1, timedelta(seconds=320), True),
        (0.01, timedelta(seconds=320), False),
    ],
)
async def test_progress_is_rarer_the_less_may_be_asked(
    world: World, left: float, ahead: timedelta, *, written: bool
) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    await world.quiet()
    github = world.stack.github
    github.limits.requests_per_hour = 1000
    for window in github.limits._windows.values():
        window.used = round(1000 * (1 - left))
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    await world.until(lambda: world.stored("SELECT 1 FROM reported WHERE written_at IS NOT NULL"))
    world.clock.ahead += ahead
    world.status(name, "Running", Step("a"), Step("b", "Running"))
    sentinel = await world.push(PASSING | {"x": "y"}, branch="other")
    world.status(await world.submitted(2), "Succeeded")
    await world.until(lambda: [run for run in world.runs(sentinel) if run.status == "completed"])
    [run] = world.runs(sha)
    paths = world.api_calls("PATCH", f"/check-runs/{run.id}")
    if written:
        await world.until(lambda: len(world.api_calls("PATCH", f"/check-runs/{run.id}")) == 2)
    else:
        assert len(paths) == 1


async def test_two_events_of_the_same_state_give_no_write(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    world.clock.ahead += timedelta(hours=1)
    for number in range(5):
        world.patch(name, {"metadata": {"labels": {"touched": str(number)}}})
    await world.quiet()
    world.status(name, "Succeeded", Step("a"))
    await world.finished(sha)
    world.patch(name, {"metadata": {"labels": {"touched": "after"}}})
    other = await world.push(PASSING | {"x": "y"})
    await world.until(lambda: world.runs(other))
    await world.quiet()
    assert len(world.api_calls("PATCH", "/check-runs/")) == 2


async def test_each_build_stops_only_the_one_before_it(world: World) -> None:
    for number in range(4):
        await world.push(PASSING | {"x": str(number)})
        await world.submitted(number + 1)
        await world.quiet()
    stops = [each.path for each in world.stack.cluster.requests if each.method == "PATCH"]
    assert len(stops) == len(set(stops)) == 3


async def test_nothing_is_left_of_builds_that_ended(world: World) -> None:
    await world.kill()
    others = [*living(KeyedQueue), *living(Exclusive)]  # of the stacks that tests share
    await world.start()
    sha = await world.push(PASSING)
    await world.submitted()
    suite = next(each for each in world.stack.github.deliveries.sent if each.event == "check_suite")
    for _ in range(BUILDS - 1):
        world.stack.github.deliver("check_suite", {**suite.payload, "action": "rerequested"})
    await world.submitted(BUILDS)
    await world.quiet()
    for found in world.workflows():
        world.status(found["metadata"]["name"], "Succeeded")
    await world.finished(sha, count=BUILDS)
    [queue] = [each for each in living(KeyedQueue) if each not in others]
    [exclusive] = [each for each in living(Exclusive) if each not in others]
    await world.until(lambda: not len(queue))
    assert not queue._slots
    assert not queue._due
    assert not len(exclusive._here)


def living(kind: type[T]) -> list[T]:
    """What there is of a kind; servers that were killed in other tests are garbage until it is collected."""
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, kind)]
