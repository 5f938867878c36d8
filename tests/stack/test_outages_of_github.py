"""GitHub is away for longer than attempts are counted, or wants no requests: what was asked for is done afterwards."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from tests_stack import PASSING, REPOSITORY
from world import FAST, Step, World

from kubeci.service.intake import MAX_ATTEMPTS
from kubeci.service.patience import LONGEST_WAIT, PEOPLE_WAIT
from kubeci.store.database import existing_database
from kubeci.store.inbox import SqlInbox

SECONDARY = '{"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}'
PATCH_RUN = ("PATCH", "/check-runs/")


def deferred(world: World) -> list[Any]:
    return list(world.stored("SELECT id FROM deliveries WHERE reason LIKE 'deferred: %'"))


async def test_a_build_that_github_did_not_let_begin_begins_when_it_does(world: World) -> None:
    world.github_fault("POST", "/graphql", status=502, times=10**6)
    sha = await world.push(PASSING)
    await world.until(lambda: len(deferred(world)) == 2)  # the push and its check suite
    await world.restart()
    asked = len(world.api_calls("POST", "/graphql"))
    await world.until(lambda: len(world.api_calls("POST", "/graphql")) > asked + 2 * MAX_ATTEMPTS)
    assert not world.deliveries("parked")
    world.stack.github.faults.clear()
    world.status(await world.submitted(), "Succeeded", Step("a"))
    assert (await world.finished(sha)).conclusion == "success"
    await world.quiet()
    assert len(world.runs(sha)) == len(world.workflows()) == 1


async def test_a_refusal_is_lifted_though_github_failed_until_the_build_had_ended(world: World) -> None:
    github = world.stack.github
    await world.push(PASSING)
    await world.submitted()
    await github.fork(REPOSITORY, "stranger")
    github.user = "stranger"
    sha = await github.push("stranger/widgets", {"x": "y"}, branch="patch")
    await github.open_pull_request(REPOSITORY, head="stranger/widgets:patch")
    [refusal] = await world.until(
        lambda: [each for each in world.runs(sha) if each.conclusion == "action_required"]
    )
    world.github_fault("PATCH", f"/check-runs/{refusal.id}$", status=502, times=1000)
    github.user = "octocat"
    await github.press(refusal.id, "run")
    world.status(await world.submitted(2), "Succeeded", Step("a"))
    await world.until(
        lambda: world.stored("SELECT id FROM builds WHERE what = 'runButton' AND state = 'finished'")
    )
    github.faults.clear()
    await world.until(lambda: refusal.conclusion == "neutral")
    assert len(world.workflows()) == 2


async def test_a_limit_is_no_attempt(world: World) -> None:
    world.github_fault("POST", "/graphql", status=403, body=SECONDARY, times=MAX_ATTEMPTS + 2)
    sha = await world.push(PASSING)
    world.status(await world.submitted(), "Succeeded", Step("a"))
    assert (await world.finished(sha)).conclusion == "success"
    assert not deferred(world)
    # One that is refused holds back all that would be.
    assert len(world.api_calls("POST", "/graphql")) <= MAX_ATTEMPTS + 4


async def test_after_a_day_it_is_set_aside(world: World) -> None:
    world.github_fault("POST", "/graphql", status=502, times=10**6)
    sha = await world.push(PASSING)
    await world.until(lambda: len(deferred(world)) == 2)
    await world.kill()
    world.clock.ahead = LONGEST_WAIT
    await world.start()
    await world.until(lambda: len(world.deliveries("parked")) == 2)
    assert world.runs(sha) == []


async def test_what_is_replayed_then_waits_for_the_cluster_as_what_is_new(world: World) -> None:
    world.github_fault("POST", "/graphql", status=502, times=10**6)
    sha = await world.push(PASSING)
    await world.until(lambda: len(deferred(world)) == 2)
    await world.kill()
    world.clock.ahead = LONGEST_WAIT
    await world.start()
    await world.until(lambda: len(world.deliveries("parked")) == 2)
    world.stack.cluster.faults.add("POST", r"/workflows\?", status=503, times=10**6)
    async with existing_database(world.stack.options.store_url) as stored:
        for (name,) in world.stored("SELECT id FROM deliveries WHERE state = 'parked'"):
            assert await SqlInbox(stored).replay(name, world.clock())
    await world.until(lambda: len(deferred(world)) == 2)
    world.stack.github.faults.clear()
    await world.until(lambda: world.stored("SELECT id FROM deliveries WHERE reason LIKE 'waits: %'"))
    assert [run.status for run in world.runs(sha)] == ["queued"]
    world.stack.cluster.faults.clear()
    world.status(await world.submitted(), "Succeeded", Step("a"))
    assert (await world.finished(sha)).conclusion == "success"
    assert len(world.runs(sha)) == len(world.workflows()) == 1


async def test_a_button_is_obeyed_when_github_is_back_within_an_hour_and_not_later(world: World) -> None:
    sha = await world.push(PASSING)
    await world.submitted()
    await world.quiet()
    [run] = world.runs(sha)
    world.github_fault("GET", "/collaborators/|/memberships/|/members/", status=502, times=10**6)
    await world.stack.github.press(run.id, "cancel")
    await world.until(lambda: deferred(world))
    await world.kill()
    world.clock.ahead = PEOPLE_WAIT
    await world.start()
    await world.until(lambda: world.deliveries("parked"))
    await world.stack.github.press(run.id, "cancel")
    await world.until(lambda: deferred(world))
    assert "shutdown" not in world.workflows()[0]["spec"]
    world.stack.github.faults.clear()
    await world.until(lambda: world.workflows()[0]["spec"].get("shutdown") == "Stop")
    await world.quiet()
    assert world.workflows()[0]["spec"]["shutdown"] == "Stop"  # the first one does nothing any more


async def test_conclusions_go_before_progress_when_a_limit_has_passed(world: World) -> None:
    await world.kill()
    await world.start(replace(FAST, github=replace(FAST.github, limit_seconds=2.0)))
    shas = [await world.push({**PASSING, "n": str(n)}, branch=f"b{n}") for n in range(6)]
    await world.submitted(len(shas))
    await world.quiet()
    limits = world.stack.github.limits
    limits.content_per_minute, limits.send_retry_after = 0, False
    names = {run.suite.head_sha: run for sha in shas for run in world.runs(sha)}
    by_sha = {
        each["metadata"]["annotations"]["kube-ci.qutics.com/sha"]: each["metadata"]["name"]
        for each in world.workflows()
    }
    *going, ends = shas
    for sha in going:
        world.status(by_sha[sha], "Running", Step("a", "Running"))
    world.status(by_sha[ends], "Succeeded", Step("a"))
    await world.until(lambda: any(each.status == 403 for each in world.stack.github.requests))
    asked = 0
    while asked != len(world.stack.github.requests):  # until those that were under way are refused, too
        asked = len(world.stack.github.requests)
        await asyncio.sleep(0.4)
    limits.content_per_minute = None
    await world.until(lambda: all(names[sha].status == "in_progress" for sha in going))
    done = [
        each.path for each in world.stack.github.requests if each.method == "PATCH" and each.status == 200
    ]
    assert done[0].endswith(f"/{names[ends].id}")
    assert len(done) == len(shas)
    assert sum(each.status == 403 for each in world.stack.github.requests) <= 8
