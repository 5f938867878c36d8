"""Outages of the server, of the way to it and of GitHub's list: what was missed is asked for again, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests_stack import PASSING, REPOSITORY, workflow
from world import FAST, World

from kubeci.github.events import ACTIONS
from kubeci.local.github.deliveries import Delivery
from kubeci.local.serving import serving
from kubeci.service.sweep import SweepPace
from kubeci.settings.duration import Duration
from kubeci.workflow import metadata
from kubeci.workflow.metadata import annotations_of

QUICK = SweepPace(begin=0.02, soon=0.1, between=0.0, arrival=2.0, look=0.02)
SWEEPING = replace(FAST, sweep=QUICK)
TAGGED = {".kube-ci/ci.yaml": workflow(["true"], annotations={"kube-ci.qutics.com/runForTag": "true"})}
READ = frozenset(ACTIONS)
LIST, AGAIN = "/app/hook/deliveries", "/attempts"


@pytest.fixture
async def known(world: World) -> World:
    """A server that has swept, and is away; what was pushed before is built."""
    frequent(world)
    await world.kill()
    await world.start(SWEEPING)
    await world.push(PASSING)
    await world.submitted()
    await world.quiet()
    await swept(world)
    await world.kill()
    world.stack.github.requests.clear()
    return world


def frequent(world: World) -> None:
    config = msgspec.structs.replace(world.stack.config, sweep_interval=Duration("200ms"))
    world.stack = replace(world.stack, config=config)


async def swept(world: World, times: int = 1) -> None:
    """Wait for so many complete sweeps that begin after now; each ends before the next one reads the list."""
    before = len(world.api_calls("GET", LIST))
    await world.until(lambda: len(world.api_calls("GET", LIST)) > before + times)


def mark(world: World) -> float:
    found = dict(world.stored("SELECT name, at FROM marks"))
    return float(found.get("sweep", 0.0))


async def back_after(world: World, **away: float) -> None:
    """Start the server when so much time has gone by since it went away."""
    await world.stack.github.settled()
    world.clock.ahead += timedelta(**away)
    await world.start(SWEEPING)


def asked(world: World) -> int:
    return len(world.api_calls("POST", AGAIN))


def names(world: World, sha: str) -> list[str]:
    return [run.name for run in world.runs(sha)]


async def test_what_is_pushed_while_the_server_is_away_is_built_when_it_is_back(known: World) -> None:
    github = known.stack.github
    shas = [await known.push({"n": str(number)}, branch=f"b{number}") for number in range(5)]
    tagged = await known.push(TAGGED, branch="tagged")
    await github.tag(REPOSITORY, "v1", tagged)
    pull = await github.open_pull_request(REPOSITORY, head="b2")
    foreign = await strange_pull_request(known)
    await github.comment(REPOSITORY, pull.number, "/kube-ci help")
    await back_after(known, hours=3)
    await known.until(lambda: all(known.runs(sha) for sha in [*shas, tagged, foreign]))
    await known.until(lambda: answers(known))
    await swept(known, 2)
    await known.quiet()
    assert [names(known, sha) for sha in shas] == [["Workflow - ci"]] * 5
    assert names(known, tagged) == ["Workflow - ci"] * 2  # of the branch, and of the tag
    assert [(run.name, run.conclusion) for run in known.runs(foreign)] == [
        ("Default Workflow", "action_required")
    ]
    assert len(answers(known)) == 1
    built = Counter(annotations_of(each)[metadata.SHA] for each in known.workflows())
    assert all(built[sha] == 1 for sha in shas)
    assert (built[tagged], built[foreign]) == (2, 0)
    assert not known.deliveries("parked")
    assert asked(known) == len({each.guid for each in github.deliveries.sent if each.redelivery})


async def test_what_comes_late_does_not_stop_the_build_of_the_branchs_head(known: World) -> None:
    async with proxy(known, status=503):
        late = await known.push({"a": "1"}, branch="topic")
        await known.stack.github.settled()
    slow = replace(SWEEPING, sweep=replace(QUICK, begin=1.5))
    known.clock.ahead += timedelta(minutes=2)
    await known.start(slow)
    head = await known.push({"a": "2"}, branch="topic")
    await known.until(lambda: known.runs(head))
    await known.until(lambda: known.runs(late))
    await known.quiet()
    stopped = {annotations_of(each)[metadata.SHA]: each["spec"].get("shutdown") for each in known.workflows()}
    assert (stopped[late], stopped[head]) == ("Stop", None)


async def strange_pull_request(world: World) -> str:
    github = world.stack.github
    await github.fork(REPOSITORY, "stranger")
    github.user = "stranger"
    sha = await github.push("stranger/widgets", {"x": "y"}, branch="patch")
    await github.open_pull_request(REPOSITORY, head="stranger/widgets:patch")
    github.user = "octocat"
    return sha


def answers(world: World) -> list[Any]:
    comments = world.stack.github.state.comments.values()
    return [each for each in comments if each.user.type == "Bot"]


@pytest.mark.parametrize("status", [500, 503])
async def test_a_delivery_that_was_answered_badly_heals(known: World, status: int) -> None:
    async with proxy(known, status=status) as lost:
        sha = await known.push({"a": "b"}, branch="unlucky")
        await known.stack.github.settled()
        assert lost
    await back_after(known, minutes=2)
    await known.until(lambda: known.runs(sha))


async def test_what_something_in_between_swallowed_heals_when_a_later_one_came(known: World) -> None:
    async with proxy(known, status=200) as lost:
        sha = await known.push({"a": "b"}, branch="unlucky")
        await known.stack.github.settled()
        assert lost
    await back_after(known, minutes=2)
    await swept(known, 2)
    assert (known.runs(sha), asked(known)) == ([], 0)  # another server might have taken them
    await known.push({"c": "d"}, branch="lucky")
    await known.until(lambda: known.runs(sha))
    await swept(known, 2)
    assert asked(known) == len(set(lost))
    assert names(known, sha) == ["Workflow - ci"]


@asynccontextmanager
async def proxy(world: World, *, status: int) -> AsyncIterator[list[str]]:
    """Something that answers in the server's place, and keeps the ids of what it lost."""
    lost: list[str] = []

    async def answer(request: Request) -> Response:
        await request.body()
        if (request.headers["x-github-event"], "") in READ or request.headers[
            "x-github-event"
        ] == "check_suite":
            lost.append(request.headers["x-github-delivery"])
        return Response("", status)

    async with serving(Starlette(routes=[Route("/", answer, methods=["POST"])])) as url:
        world.stack.github.webhook_url = url
        yield lost
        world.stack.github.webhook_url = ""


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("a limit", {"status": 429, "headers": {"retry-after": "1"}}),
    ("a server error", {"status": 500, "times": 3}),
    ("a cut connection", {"times": 3}),
    ("a redirect to nowhere", {"status": 404}),
]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"{LIST}$"), ("POST", f"{AGAIN}$")], ids=["list", "ask"]
)
@pytest.mark.parametrize("how", [how for _, how in FAULTS], ids=[name for name, _ in FAULTS])
async def test_a_sweep_that_fails_is_made_again(known: World, method: str, path: str, how: Any) -> None:
    shas = [await known.push({"n": str(number)}, branch=f"b{number}") for number in range(3)]
    fault = known.github_fault(method, path, **how)
    before = mark(known)
    await back_after(known, minutes=2)
    await known.until(lambda: fault.times <= 0)
    known.clock.ahead += timedelta(minutes=2)
    await known.until(lambda: all(known.runs(sha) for sha in shas))
    await swept(known)
    assert mark(known) > before
    assert [names(known, sha) for sha in shas] == [["Workflow - ci"]] * 3


async def test_what_was_asked_for_is_not_asked_for_again_by_the_next_sweeps(known: World) -> None:
    await known.push({"a": "b"}, branch="one")
    await back_after(known, minutes=2)
    await known.until(lambda: asked(known))
    await swept(known, 5)
    assert asked(known) == len(set(redelivered(known)))


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


def redeliveries(world: World) -> list[Delivery]:
    return [each for each in world.stack.github.deliveries.sent if each.redelivery]


async def test_hundreds_of_deliveries_cost_few_calls(known: World) -> None:
    github = known.stack.github
    for number in range(350):  # GitHub's list holds what we do not read, too
        github.deliver("check_run", {"action": "created", "number": number})
    sha = await known.push({"a": "b"}, branch="one")
    await back_after(known, minutes=2)
    await known.until(lambda: known.runs(sha))
    await swept(known, 2)
    assert asked(known) == len(redeliveries(known)) == 3  # push, create and check suite
    known.clock.ahead += timedelta(minutes=10)
    await swept(known)
    github.requests.clear()
    await swept(known, 4)
    assert 4 <= len(github.requests) <= 6
    await known.kill()
    github.requests.clear()
    await back_after(known, minutes=1)
    await swept(known)
    assert len(known.api_calls("GET", LIST)) <= 2


async def test_what_is_older_than_the_list_is_found_by_comparing(known: World) -> None:
    github = known.stack.github
    sha = await known.push({"a": "b"}, branch="ours", message="Mine")
    silent = await known.push({"c": "d"}, branch="silent", message="Not now\n\n\nskip-checks: true")
    opened = await github.open_pull_request(REPOSITORY, head="ours")
    foreign = await strange_pull_request(known)
    await github.settled()
    github.deliveries.sent.clear()
    await back_after(known, days=4)
    await known.until(lambda: known.runs(sha) and known.runs(foreign))
    await swept(known, 2)
    await known.quiet()
    assert asked(known) == 0
    assert names(known, sha) == ["Workflow - ci"]
    assert names(known, silent) == []
    assert [(run.name, run.conclusion) for run in known.runs(foreign)] == [
        ("Default Workflow", "action_required")
    ]
    [built] = [each for each in known.workflows() if annotations_of(each)[metadata.SHA] == sha]
    assert opened.number
    made = known.stored("SELECT id, event FROM deliveries WHERE id LIKE 'sweep-%' ORDER BY event")
    assert [event for _, event in made] == ["pull_request", "pull_request", "push", "push"]
    parameters = {each["name"]: each["value"] for each in built["spec"]["arguments"]["parameters"]}
    assert (parameters["repoName"], parameters["revision"], parameters["refName"]) == ("widgets", sha, "ours")
    await known.kill()
    await back_after(known, days=4)  # what was found once is not found again
    await swept(known)
    assert known.stored("SELECT id, event FROM deliveries WHERE id LIKE 'sweep-%' ORDER BY event") == made
    assert names(known, sha) == ["Workflow - ci"]
