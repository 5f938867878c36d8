"""Outages of the server, of the way to it and of GitHub's list: what was missed is asked for again, once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sweep_kit import (
    AGAIN,
    LIST,
    QUICK,
    SWEEPING,
    TAGGED,
    asked,
    back_after,
    frequent,
    mark,
    names,
    proxy,
    redeliveries,
    strange_pull_request,
    swept,
)
from tests_stack import PASSING, REPOSITORY
from world import World

from kubeci.settings.duration import Duration
from kubeci.workflow import metadata
from kubeci.workflow.metadata import annotations_of


async def test_what_is_pushed_while_the_server_is_away_is_built_when_it_is_back(away: World) -> None:
    github = away.stack.github
    shas = [await away.push({"n": str(number)}, branch=f"b{number}") for number in range(5)]
    tagged = await away.push(TAGGED, branch="tagged")
    await github.tag(REPOSITORY, "v1", tagged)
    pull = await github.open_pull_request(REPOSITORY, head="b2")
    foreign = await strange_pull_request(away)
    assert pull.number
    await back_after(away, hours=3)
    await away.until(lambda: all(away.runs(sha) for sha in [*shas, tagged, foreign]))
    await swept(away, 2)
    await away.quiet()
    assert [names(away, sha) for sha in shas] == [["Workflow - ci"]] * 5
    assert names(away, tagged) == ["Workflow - ci"] * 2  # of the branch, and of the tag
    assert [(run.name, run.conclusion) for run in away.runs(foreign)] == [
        ("Default Workflow", "action_required")
    ]
    built = Counter(annotations_of(each)[metadata.SHA] for each in away.workflows())
    assert all(built[sha] == 1 for sha in shas)
    assert (built[tagged], built[foreign]) == (2, 0)
    assert not away.deliveries("parked")
    assert asked(away) == len({each.guid for each in github.deliveries.sent if each.redelivery})


@pytest.mark.parametrize(("minutes", "obeyed"), [(55, True), (65, False)])
async def test_what_somebody_asked_for_is_not_asked_for_again_after_an_hour(
    away: World, minutes: int, *, obeyed: bool
) -> None:
    github = away.stack.github
    sha = await away.push({"a": "b"}, branch="topic")
    pull = await github.open_pull_request(REPOSITORY, head="topic")
    await github.comment(REPOSITORY, pull.number, "/kube-ci help")
    await github.deploy(REPOSITORY, "topic", environment="qa", payload={"kube_ci": {"run": True}})
    suite = next(each for each in github.deliveries.sent if each.event == "check_suite")
    for event, action in (("check_suite", "rerequested"), ("check_run", "requested_action")):
        github.deliver(event, {**suite.payload, "action": action})
    await back_after(away, minutes=minutes)
    await away.until(lambda: away.runs(sha))
    await swept(away, 2)
    await away.quiet()
    wanted = {"issue_comment", "deployment", "check_run"}
    events = Counter(each.event for each in redeliveries(away))
    assert {each for each in wanted if events[each]} == (wanted if obeyed else set())
    assert {"push", "pull_request", "check_suite"} <= set(events)
    actions = {each.payload["action"] for each in redeliveries(away) if each.event == "check_suite"}
    assert actions == ({"requested", "rerequested"} if obeyed else {"requested"})
    assert len(answers(away)) == obeyed


async def test_what_comes_late_does_not_stop_the_build_of_the_branchs_head(away: World) -> None:
    async with proxy(away, status=503):
        late = await away.push({"a": "1"}, branch="topic")
        await away.stack.github.settled()
    slow = replace(SWEEPING, sweep=replace(QUICK, begin=1.5))
    away.clock.ahead += timedelta(minutes=2)
    await away.start(slow)
    head = await away.push({"a": "2"}, branch="topic")
    await away.until(lambda: away.runs(head))
    await away.until(lambda: away.runs(late))
    await away.quiet()
    stopped = {annotations_of(each)[metadata.SHA]: each["spec"].get("shutdown") for each in away.workflows()}
    assert (stopped[late], stopped[head]) == ("Stop", None)


def answers(world: World) -> list[Any]:
    comments = world.stack.github.state.comments.values()
    return [each for each in comments if each.user.type == "Bot"]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_delivery_that_was_answered_badly_heals(away: World, status: int) -> None:
    async with proxy(away, status=status) as lost:
        sha = await away.push({"a": "b"}, branch="unlucky")
        await away.stack.github.settled()
        assert lost
    await back_after(away, minutes=2)
    await away.until(lambda: away.runs(sha))


async def test_what_something_in_between_swallowed_heals_when_a_later_one_came(away: World) -> None:
    async with proxy(away, status=200) as lost:
        sha = await away.push({"a": "b"}, branch="unlucky")
        await away.stack.github.settled()
        assert lost
    await back_after(away, minutes=2)
    await swept(away, 2)
    assert (away.runs(sha), asked(away)) == ([], 0)  # another server might have taken them
    await away.push({"c": "d"}, branch="lucky")
    await away.until(lambda: away.runs(sha))
    await swept(away, 2)
    assert asked(away) == len(set(lost))
    assert names(away, sha) == ["Workflow - ci"]


LIMIT: dict[str, Any] = {"status": 429, "headers": {"retry-after": "1"}}
CUT: dict[str, Any] = {"times": 3}


@pytest.mark.parametrize(
    ("method", "path", "how"),
    [
        ("GET", LIST, LIMIT),
        ("GET", LIST, {"status": 500, "times": 3}),
        ("GET", LIST, CUT),
        ("POST", AGAIN, LIMIT),
        ("POST", AGAIN, {"status": 500, "times": 3}),
        ("POST", AGAIN, CUT),
        ("POST", AGAIN, {"status": 404}),
    ],
)
async def test_a_sweep_that_fails_is_made_again(away: World, method: str, path: str, how: Any) -> None:
    shas = [await away.push({"n": str(number)}, branch=f"b{number}") for number in range(3)]
    fault = away.github_fault(method, f"{path}$", **how)
    await back_after(away, minutes=2)
    await away.until(lambda: fault.times <= 0)
    away.clock.ahead += timedelta(minutes=2)
    await away.until(lambda: all(away.runs(sha) for sha in shas))
    await away.stack.github.settled()
    newest = max(each.delivered_at for each in away.stack.github.deliveries.sent)
    await away.until(lambda: mark(away) == int(newest.timestamp()))
    assert [names(away, sha) for sha in shas] == [["Workflow - ci"]] * 3


async def test_what_was_asked_for_is_not_asked_for_again_by_the_next_sweeps(away: World) -> None:
    await away.push({"a": "b"}, branch="one")
    await back_after(away, minutes=2)
    await away.until(lambda: asked(away))
    await swept(away, 5)
    assert asked(away) == len(set(redelivered(away)))


def redelivered(world: World) -> list[str]:
    return [each.guid for each in world.stack.github.deliveries.sent if each.redelivery]


async def test_the_first_start_repeats_nothing_that_was_taken(world: World) -> None:
    """As when the App was the original's before."""
    frequent(world)
    await world.kill()
    async with proxy(world, status=200):
        taken = await world.push(PASSING, branch="taken")
        await world.stack.github.settled()
    failed = await world.push(PASSING, branch="failed", message="Another")
    await back_after(world, minutes=5)
    await world.until(lambda: world.runs(failed))
    await swept(world, 3)
    assert world.runs(taken) == []
    assert {each.payload.get("ref", "failed") for each in redeliveries(world)} <= {
        "failed",
        "refs/heads/failed",
    }


async def test_hundreds_of_deliveries_cost_few_calls(away: World) -> None:
    github = away.stack.github
    for number in range(350):  # GitHub's list holds what we do not read, too
        github.deliver("check_run", {"action": "created", "number": number})
    await github.settled()
    for each in github.deliveries.sent:  # what came in the second of the newest is read each time
        each.delivered_at -= timedelta(seconds=10)
    sha = await away.push({"a": "b"}, branch="one")
    await back_after(away, minutes=2)
    await away.until(lambda: away.runs(sha))
    await away.quiet()  # what GitHub tells of our own check-runs is listed, too
    await swept(away, two := 2 * 4)  # the list has four pages
    assert asked(away) == len(redeliveries(away)) == 3  # push, create and check suite
    away.clock.ahead += timedelta(minutes=10)
    await swept(away, two)
    github.requests.clear()
    await swept(away, 4)
    assert {(each.path, each.query) for each in github.requests} == {(LIST, "per_page=100")}, (
        "one page a sweep"
    )
    await away.kill()
    github.requests.clear()
    for each in github.deliveries.sent:  # what was sent just before a start may be listed late
        each.delivered_at -= timedelta(minutes=10)
    await back_after(away, minutes=1)
    await swept(away)
    assert len(away.api_calls("GET", LIST)) <= 2


async def test_with_no_interval_nothing_is_swept(away: World) -> None:
    config = msgspec.structs.replace(away.stack.config, sweep_interval=Duration("0"))
    away.stack = replace(away.stack, config=config)
    await away.push({"a": "b"}, branch="one")
    await back_after(away, hours=1)
    await away.push({"c": "d"}, branch="two")
    await away.submitted(2)
    await away.quiet()
    assert away.api_calls("GET", LIST) == []
