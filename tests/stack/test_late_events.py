"""Events that come late, as redelivered ones do: what does not hold any more stops, deletes and deploys nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from test_cache_volumes import BRANCH, cached
from test_deployments import ASKS, definition
from tests_stack import PASSING, REPOSITORY
from world import World

from kubeci.local.cluster.resources import CLAIMS
from kubeci.local.github.deliveries import Delivery
from kubeci.local.github.state import PullRequest
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata
from kubeci.workflow.metadata import annotations_of

CACHED = cached(**BRANCH)


@asynccontextmanager
async def lost(world: World) -> AsyncIterator[list[Delivery]]:
    """Nothing gets through meanwhile; gives what did not."""
    github = world.stack.github
    await github.settled()
    url, before = github.webhook_url, len(github.deliveries.sent)
    github.webhook_url = ""
    missed: list[Delivery] = []
    yield missed
    await github.settled()
    missed += list(github.deliveries.sent)[before:]
    github.webhook_url = url


async def redeliver(world: World, missed: list[Delivery], *events: str) -> str:
    """Deliver what was lost after all, and give what came of the last one."""
    github = world.stack.github
    await github.settled()
    await world.quiet()
    github.requests.clear()
    again = [each for each in missed if not events or each.event in events]
    for each in again:
        github.deliveries.add(each.event, each.payload, guid=each.guid)
    await github.settled()
    await world.quiet()
    [(state, reason)] = world.stored(f"SELECT state, reason FROM deliveries WHERE id = '{again[-1].guid}'")
    assert state == "done"
    return str(reason)


def shutdowns(world: World, sha: str) -> list[Any]:
    return [
        each["spec"].get("shutdown")
        for each in world.workflows()
        if annotations_of(each)[metadata.SHA] == sha
    ]


def claims(world: World) -> list[str]:
    return [each["metadata"]["name"] for each in world.stack.cluster.objects.list(CLAIMS, None)]


def reads(world: World) -> list[str]:
    return [each.path for each in world.stack.github.requests if "/access_tokens" not in each.path]


async def settings(world: World, **changed: Any) -> None:
    """Start the server with other settings; it knows nothing of the branch `main`."""
    await world.kill()
    await world.push(CACHED)
    await world.stack.github.settled()
    world.stack = replace(world.stack, config=msgspec.structs.replace(world.stack.config, **changed))
    await world.start()


async def test_a_branch_that_is_there_again_keeps_its_build_and_its_cache(world: World) -> None:
    github = world.stack.github
    await world.push(CACHED, branch="topic")
    await world.submitted()
    async with lost(world) as missed:
        await github.delete_branch(REPOSITORY, "topic")
    head = await world.push(CACHED | {"a": "2"}, branch="topic")
    await world.submitted(2)
    kept = claims(world)
    assert "is there again" in await redeliver(world, missed, "delete")
    assert (shutdowns(world, head), claims(world)) == ([None], kept)
    assert len(kept) == len(reads(world)) == 1
    await github.delete_branch(REPOSITORY, "topic")
    await world.until(lambda: not claims(world))


async def test_what_is_deleted_without_a_cache_costs_no_request(world: World) -> None:
    await world.push(PASSING, branch="topic")
    await world.submitted()
    await world.quiet()
    async with lost(world) as missed:
        await world.stack.github.delete_branch(REPOSITORY, "topic")
    assert await redeliver(world, missed, "delete") == "there is no cache volume"
    assert reads(world) == []


async def test_a_pull_request_that_is_open_again_keeps_its_builds(world: World) -> None:
    github = world.stack.github
    await settings(world, build_branches=Pattern("main"))
    await world.push(PASSING, branch="topic")
    pull = await github.open_pull_request(REPOSITORY, head="topic")
    await world.submitted()
    async with lost(world) as missed:
        await github.close_pull_request(pull)
    await github.reopen_pull_request(pull)
    head = await world.push({"a": "2"}, branch="topic")
    await world.until(lambda: shutdowns(world, head))
    assert "is open again" in await redeliver(world, missed)
    assert shutdowns(world, head) == [None]
    assert reads(world) == [f"/repos/{REPOSITORY}/pulls/{pull.number}"]
    await github.close_pull_request(pull)
    await world.until(lambda: shutdowns(world, head) == ["Stop"])


async def forked(world: World) -> None:
    trust = {**world.stack.config.trust, What.FORK: dict.fromkeys(Who, Answer.BUILD)}
    await settings(world, trust=trust)
    await world.stack.github.fork(REPOSITORY, "stranger")
    world.stack.github.user = "stranger"


async def open_from_fork(world: World) -> tuple[str, PullRequest]:
    github = world.stack.github
    sha = await github.push("stranger/widgets", {"x": "1"}, branch="patch")
    return sha, await github.open_pull_request(REPOSITORY, head="stranger/widgets:patch")


async def test_a_forks_older_commit_does_not_stop_the_build_of_its_head(world: World) -> None:
    await forked(world)
    async with lost(world) as missed:
        old, _ = await open_from_fork(world)
    new = await world.stack.github.push("stranger/widgets", {"x": "2"}, branch="patch")
    await world.until(lambda: shutdowns(world, new))
    await redeliver(world, missed, "pull_request")
    assert (shutdowns(world, old), shutdowns(world, new)) == (["Stop"], [None])
    newest = await world.stack.github.push("stranger/widgets", {"x": "3"}, branch="patch")
    await world.until(lambda: shutdowns(world, new) == ["Stop"])
    assert shutdowns(world, newest) == [None]


async def test_a_forks_pull_request_that_is_open_again_keeps_its_cache(world: World) -> None:
    github = world.stack.github
    await forked(world)
    sha, pull = await open_from_fork(world)
    world.status(await world.submitted(), "Succeeded")
    await world.finished(sha)
    async with lost(world) as missed:
        await github.close_pull_request(pull)
    async with lost(world):
        await github.reopen_pull_request(pull)
    kept = claims(world)
    assert "is open again" in await redeliver(world, missed)
    assert claims(world) == kept != []
    await github.close_pull_request(pull)
    await world.until(lambda: not claims(world))


async def test_a_repository_that_is_not_archived_any_more_keeps_its_builds_and_caches(world: World) -> None:
    github = world.stack.github
    head = await world.push(CACHED)
    await world.submitted()
    async with lost(world) as missed:
        github.archive(REPOSITORY)
        github.unarchive(REPOSITORY)
    kept = claims(world)
    assert "not archived any more" in await redeliver(world, missed[:1])
    assert (shutdowns(world, head), claims(world)) == ([None], kept)
    assert kept
    github.archive(REPOSITORY)
    await world.until(lambda: not claims(world))


async def test_a_repository_that_was_deleted_loses_its_caches(world: World) -> None:
    await world.push(CACHED)
    await world.submitted()
    await world.until(lambda: claims(world))
    await world.stack.github.delete_repository(REPOSITORY)
    await world.until(lambda: not claims(world))


@pytest.mark.parametrize(("ahead", "obeyed"), [(timedelta(minutes=50), True), (timedelta(hours=60), False)])
async def test_a_deployment_of_the_morning_does_not_begin_in_the_evening(
    world: World, ahead: timedelta, *, obeyed: bool
) -> None:
    await world.push(definition(("build", "")))
    await world.submitted()
    async with lost(world) as missed:
        asked = await world.stack.github.deploy(REPOSITORY, "main", environment="production", payload=ASKS)
    world.clock.ahead += ahead
    told = await redeliver(world, missed, "deployment")
    if obeyed:
        await world.submitted(2)
        assert "error" not in [each.state for each in asked.statuses]
        return
    assert told.startswith("too late (asked at 20")
    assert [(each.state, each.description) for each in asked.statuses] == [("error", told)]
    assert len(world.workflows()) == 1


async def test_a_deployment_that_ended_is_not_called_late(world: World) -> None:
    """Its delivery may be redelivered by hand, days later."""
    github = world.stack.github
    await world.push(definition(("build", "")))
    await world.submitted()
    asked = await github.deploy(REPOSITORY, "main", environment="production", payload=ASKS)
    await world.submitted(2)
    await world.quiet()
    before = [each.state for each in asked.statuses]
    world.clock.ahead += timedelta(hours=60)
    [sent] = [each for each in github.deliveries.sent if each.event == "deployment"]
    assert "too late" in await redeliver(world, [replace(sent, guid="another")])
    assert [each.state for each in asked.statuses] == before
    assert len(world.workflows()) == 2


async def test_a_command_of_two_days_ago_stops_and_deploys_nothing(world: World) -> None:
    github = world.stack.github
    head = await world.push(definition(("build", "")), branch="topic")
    await world.push(PASSING)
    await world.submitted(2)
    pull = await github.open_pull_request(REPOSITORY, head="topic")
    async with lost(world) as missed:
        await github.comment(REPOSITORY, pull.number, "/kube-ci cancel\n/kube-ci deploy production")
    async with lost(world) as idle:
        await github.comment(REPOSITORY, pull.number, "Well done")
    world.clock.ahead += timedelta(hours=48)
    told = await redeliver(world, missed, "issue_comment")
    assert told.startswith("too late (asked at 20")
    assert shutdowns(world, head) == [None]
    assert not github.state.deployments
    answers = [each.body for each in github.state.comments.values() if each.user.type == "Bot"]
    assert [each.partition("\n")[0] for each in answers] == [told]
    assert await redeliver(world, idle, "issue_comment") == "no command"
    assert sum(each.user.type == "Bot" for each in github.state.comments.values()) == 1


async def test_what_comes_while_the_installation_is_suspended_is_built_afterwards(world: World) -> None:
    """Its events were sent just before, or GitHub suspends before it stops to send."""
    github = world.stack.github
    async with lost(world) as missed:
        sha = await world.push(PASSING)
    github.suspend("acme")
    for each in missed:
        github.deliveries.add(each.event, each.payload, guid=each.guid)
    await github.settled()
    await world.until(lambda: world.stored("SELECT 1 FROM deliveries WHERE reason LIKE 'deferred: %'"))
    assert not world.deliveries("parked")
    github.unsuspend("acme")
    await world.until(lambda: world.runs(sha))
    await world.submitted()
    await world.quiet()
    assert not world.deliveries("parked")
