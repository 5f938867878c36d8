"""What GitHub does wrong: nothing is doubled, nothing is lost, nobody is hammered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests_stack import PASSING
from world import Step, World

POST_RUN, PATCH_RUN = ("POST", "/check-runs$"), ("PATCH", "/check-runs/")
LINES = "".join(f"src/a.py:{n}: line {n}\n" for n in range(1, 121))
SECONDARY = '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
FORBIDDEN = '{"message": "Resource not accessible by integration"}'

CREATION = [
    # name of the case, what POST check-runs meets, requests it may take
    ("500 before", {"status": 500}, 2),
    ("lost before", {"delay_seconds": 0.01, "status": 502}, 2),
    ("lost after the effect", {"after": True}, 1),
    ("500 after the effect", {"after": True, "status": 500}, 1),
    ("later than we wait", {"after": True, "delay_seconds": 1.0}, 1),
    ("late", {"delay_seconds": 0.3}, 1),
    ("secondary limit without a time", {"status": 403, "body": SECONDARY}, 2),
    ("secondary limit with a time", {"status": 403, "body": SECONDARY, "headers": {"retry-after": "1"}}, 2),
    ("429", {"status": 429, "headers": {"retry-after": "1"}}, 2),
    ("401", {"status": 401, "body": '{"message": "Bad credentials"}'}, 2),
]


@pytest.mark.parametrize(("how", "requests"), [c[1:] for c in CREATION], ids=[c[0] for c in CREATION])
async def test_a_check_run_is_created_once(world: World, how: dict[str, Any], requests: int) -> None:
    world.github_fault(*POST_RUN, **how)
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Succeeded")
    await world.concluded(sha)
    await world.quiet()
    assert len(world.runs(sha)) == len(world.workflows()) == 1
    assert len(world.api_calls("POST", "/check-runs")) == requests


UPDATE = [
    ("500 before", {"status": 500}),
    ("lost after the effect", {"after": True}),
    ("500 after the effect", {"after": True, "status": 500}),
    ("twice lost after the effect", {"after": True, "times": 2}),
    ("429", {"status": 429, "headers": {"retry-after": "1"}}),
    ("403 secondary limit", {"status": 403, "body": SECONDARY}),
    ("later than we wait", {"after": True, "delay_seconds": 1.0}),
]


@pytest.mark.parametrize("how", [case[1] for case in UPDATE], ids=[case[0] for case in UPDATE])
async def test_each_annotation_arrives_once(world: World, how: dict[str, Any]) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.github_fault(*PATCH_RUN, **how)
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await world.finished(sha)
    assert run.conclusion == "failure"
    assert [each["start_line"] for each in run.annotations] == list(range(1, 121))


async def test_annotations_that_github_refuses_do_not_hold_up_the_conclusion(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.github_fault(*PATCH_RUN, status=422, body='{"message": "Invalid request"}')
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await world.finished(sha)
    assert run.conclusion == "failure"
    assert [each["start_line"] for each in run.annotations] == list(range(51, 121))


async def test_a_token_that_was_revoked_is_replaced(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.stack.github.state.tokens.clear()
    world.status(name, "Succeeded")
    assert (await world.concluded(sha)).conclusion == "success"


async def test_what_the_app_may_not_do_is_parked_with_the_reason(world: World) -> None:
    world.github_fault(*POST_RUN, status=403, body=FORBIDDEN, times=1000)
    sha = await world.push(PASSING)
    await world.quiet()
    assert {
        (state, "not accessible by integration" in reason) for _, state, reason in world.deliveries()
    } == {("parked", True)}
    assert len(world.api_calls("POST", "/check-runs")) == len(world.deliveries())
    assert world.runs(sha) == []
    assert world.workflows() == []


async def test_progress_that_the_app_may_not_write_is_not_hammered(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.github_fault(*PATCH_RUN, status=403, body=FORBIDDEN, times=1000)
    for number in range(10):
        steps = [Step(f"s{each}") for each in range(number)]
        world.status(name, "Running", *steps)
        await asyncio.sleep(0.03)  # each state is seen
    world.status(name, "Succeeded", Step("last"))
    sentinel = await world.push(PASSING, branch="other")
    await world.submitted(2)
    await world.quiet()
    await world.until(lambda: len(world.api_calls("PATCH", "/check-runs/")) >= 2)
    await asyncio.sleep(0.3)  # longer than any backoff here
    assert len(world.api_calls("PATCH", "/check-runs/")) == 2
    assert [run.status for run in world.runs(sha)] == ["queued"]
    assert len(world.runs(sentinel)) == 1


GRAPHQL = [
    ("500", {"status": 500}, "built"),
    ("502 three times", {"status": 502, "times": 3}, "built"),
    ("lost", {"after": True}, "built"),
    ("slow", {"delay_seconds": 0.3}, "built"),
    ("no data", {"status": 200, "body": '{"data": {"repository": null}}'}, "built"),
    ("no JSON", {"status": 200, "body": "<html>"}, "built"),
    (
        "errors that may pass",
        {"status": 200, "body": json.dumps({"errors": [{"message": "timeout"}]})},
        "built",
    ),
    (
        "forbidden",
        {
            "status": 200,
            "body": json.dumps({"errors": [{"type": "FORBIDDEN", "message": "no", "path": ["x"]}]}),
        },
        "parked",
    ),
    (
        "commit gone",
        {"status": 200, "body": json.dumps({"errors": [{"type": "NOT_FOUND", "message": "no"}]})},
        "parked",
    ),
]


@pytest.mark.parametrize(("how", "outcome"), [c[1:] for c in GRAPHQL], ids=[c[0] for c in GRAPHQL])
async def test_reading_a_commit(world: World, how: dict[str, Any], outcome: str) -> None:
    parked = outcome == "parked"
    world.github_fault("POST", "/graphql", **{**how, **({"times": 1000} if parked else {})})
    await world.push(PASSING)
    if parked:
        await world.quiet()
        assert {state for _, state, _ in world.deliveries()} == {"parked"}
        assert len(world.api_calls("POST", "/graphql")) == len(world.deliveries())
    else:
        await world.submitted()
        await world.quiet()
        assert {state for _, state, _ in world.deliveries()} == {"done"}
