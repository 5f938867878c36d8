"""Builds that wait for a cluster which cannot take them: what becomes of them when something else happens meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from lacking import ARGO, build, summary, the_run, world_without
from tests_stack import PASSING, REPOSITORY
from world import NAMESPACE, NEVER, Step, World

from kubeci.local.cluster.resources import WORKFLOW_TEMPLATES as TEMPLATES
from kubeci.local.github.state import CheckRun
from kubeci.service.intake import MAX_ATTEMPTS
from kubeci.workflow import metadata

DUE_SOON = (
    "SELECT id FROM deliveries WHERE state = 'working' OR (state = 'waiting' AND due < received_at + 60)"
)


@dataclass
class Waiting:
    """A world whose server may not create workflows, and a check-run that says so."""

    world: World
    run: CheckRun

    def heal(self) -> None:
        cluster = self.world.stack.cluster
        [user] = cluster.further_users
        cluster.further_users = (replace(user, denied=frozenset()),)
        cluster.faults.clear()

    async def cancelled(self, run: CheckRun, why: str) -> None:
        """Wait until a check-run is concluded, and see that no workflow comes of it when the cluster is back."""
        await self.world.until(lambda: run.status == "completed")
        assert run.conclusion == "cancelled"
        assert why in summary(run)
        self.heal()
        await self.world.stack.github.settled()
        await self.world.until(lambda: not self.world.stored(DUE_SOON))
        built = {metadata.annotations_of(each)[metadata.SHA] for each in self.world.workflows()}
        assert run.suite.head_sha not in built


@pytest.fixture
async def waiting(tmp_path: Path) -> AsyncIterator[Waiting]:
    async with world_without(tmp_path, ("create", ARGO, "workflows")) as world:
        await world.start()
        run, told = await build(world)
        assert told
        yield Waiting(world, run)


def posts(world: World) -> int:
    return [each.method for each in world.stack.cluster.requests].count("POST")


async def test_an_older_build_that_waits_gives_way_to_a_newer_one(waiting: Waiting) -> None:
    world = waiting.world
    newer = await the_run(world, await world.push({**PASSING, "x": "2"}))
    await world.until(lambda: "Waiting" in summary(newer))
    await world.kill()
    postpone_the_first(world)
    waiting.heal()
    await world.start()
    name = await world.submitted()
    await waiting.cancelled(waiting.run, f"superseded by `{name}`")
    assert len(world.workflows()) == 1
    world.status(name, "Succeeded", Step("a"))
    assert (await world.concluded(newer.suite.head_sha)).conclusion == "success"


async def test_cancel_ends_a_build_that_waits(waiting: Waiting) -> None:
    await waiting.world.stack.github.press(waiting.run.id, "cancel")
    await waiting.cancelled(waiting.run, "cancelled by octocat")


async def test_cancel_while_the_cluster_is_asked_ends_the_build_and_its_workflow(waiting: Waiting) -> None:
    world = waiting.world
    world.stack.cluster.faults.add("POST", "/workflows", delay_seconds=0.5, status=503, times=1_000)
    asked = posts(world)
    await world.until(lambda: posts(world) > asked)
    await world.stack.github.press(waiting.run.id, "cancel")
    await waiting.cancelled(waiting.run, "cancelled by octocat")
    assert len(world.runs(waiting.run.suite.head_sha)) == 1


async def test_a_workflow_whose_creation_was_not_answered_is_stopped_with_its_build(waiting: Waiting) -> None:
    world = waiting.world
    waiting.heal()
    world.stack.cluster.faults.add("POST", "/workflows", after=True, drop=True)
    world.stack.cluster.faults.add("POST", "/workflows", delay_seconds=0.5, status=503, times=10**6)
    name = await world.submitted()
    await world.stack.github.press(waiting.run.id, "cancel")
    await world.until(lambda: world.workflows()[0]["spec"].get("shutdown"))
    world.status(
        name, "Failed"
    )  # where the watch was quicker than the button it is concluded now, else it was before
    await world.until(lambda: waiting.run.conclusion == "cancelled")


async def test_a_pull_request_that_is_closed_ends_its_build_that_waits(waiting: Waiting) -> None:
    world, github = waiting.world, waiting.world.stack.github
    await github.fork(REPOSITORY, "stranger")
    sha = await github.push(f"stranger/{REPOSITORY.partition('/')[2]}", {"y": "1"}, branch="topic")
    pull = await github.open_pull_request(REPOSITORY, head="stranger:topic")
    refusal = await the_run(world, sha)
    await world.until(lambda: refusal.status == "completed")
    await github.press(refusal.id, "run")
    [run] = await world.until(lambda: [each for each in world.runs(sha) if "Waiting" in summary(each)])
    await github.close_pull_request(pull)
    await waiting.cancelled(run, "was closed")


async def test_github_may_fail_for_long_while_a_build_waits(waiting: Waiting) -> None:
    world = waiting.world
    await world.until(
        lambda: len(world.stored("SELECT id FROM deliveries WHERE reason LIKE 'waits: %'")) == 2
    )
    world.github_fault("POST", "/graphql", status=502, times=10**6)
    await graphql(world, 3 * MAX_ATTEMPTS)
    await world.restart()
    await graphql(world, 3 * MAX_ATTEMPTS)
    assert not world.deliveries("parked")
    assert waiting.run.status == "queued"
    waiting.heal()
    world.stack.github.faults.clear()
    world.status(await world.submitted(), "Succeeded")
    await world.until(lambda: waiting.run.conclusion == "success")


async def test_a_build_that_is_parked_while_it_waits_is_concluded(waiting: Waiting) -> None:
    waiting.world.github_fault("POST", "/graphql", status=404, times=10**6)
    await waiting.world.until(lambda: waiting.run.status == "completed")
    assert waiting.run.conclusion == "failure"
    assert "re-run this check" in summary(waiting.run)
    await waiting.world.until(lambda: waiting.world.deliveries("parked"))


async def test_what_a_build_waits_for_is_told_anew_when_it_is_of_another_kind(waiting: Waiting) -> None:
    world, written = waiting.world, patches(waiting.world)
    waiting.heal()
    world.stack.cluster.faults.add("POST", "/workflows", status=503, times=10**6)
    await world.until(lambda: "HTTP 503" in summary(waiting.run))
    asked = posts(world)
    await world.until(lambda: posts(world) > asked + 5)
    assert patches(world) == written + 1


def patches(world: World) -> int:
    return len(world.api_calls("PATCH", "/check-runs/"))


TEMPLATE_OF_THE_CLUSTER = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec: {workflowTemplateRef: {name: shared}}
"""


async def test_a_build_whose_template_cannot_be_read_yet_waits_with_a_check_run(tmp_path: Path) -> None:
    async with world_without(tmp_path) as world:
        cluster = world.stack.cluster
        spec = {"entrypoint": "ci", "templates": [{"name": "ci", "container": {"image": "alpine"}}]}
        cluster.objects.create(TEMPLATES, NAMESPACE, {"metadata": {"name": "shared"}, "spec": spec})
        cluster.faults.add("*", "workflowtemplates", drop=True, times=10**6)
        await world.start()
        run = await the_run(world, await world.push({".kube-ci/ci.yaml": TEMPLATE_OF_THE_CLUSTER}))
        await world.until(lambda: "Waiting" in summary(run))
        assert run.status == "queued"
        cluster.faults.clear()
        name = await world.submitted()
        world.status(name, "Succeeded")
        await world.until(lambda: run.conclusion == "success")
        assert run.name == "Workflow - ci"
        assert world.runs(run.suite.head_sha) == [run]


async def test_an_api_server_that_hangs_does_not_hold_up_what_needs_no_cluster(tmp_path: Path) -> None:
    async with world_without(tmp_path) as world:
        cluster = world.stack.cluster
        cluster.faults.add("POST", "/workflows", delay_seconds=1, drop=True, times=10**6)
        await world.start()
        await world.stack.github.create_repository("acme/other")
        shas = [await world.push({**PASSING, "n": str(n)}, branch=f"b{n}") for n in range(6)]
        for sha in shas:  # each of them knows why it waits, without having waited for the answer
            run = await the_run(world, sha)
            await world.until(lambda run=run: "Waiting" in summary(run))
        assert posts(world) < len(shas) + 3
        cluster.faults.clear()
        cluster.faults.add("POST", "/workflows", delay_seconds=NEVER, times=10**6)
        tried = posts(world)
        await world.until(lambda: posts(world) > tried)
        wrong = {".kube-ci/ci.yaml": "not: [a workflow"}
        sha = await world.stack.github.push("acme/other", wrong, branch="main", message="x")
        run = await the_run(world, sha)
        await world.until(lambda: run.status == "completed")


async def test_github_is_read_by_one_of_many_while_the_cluster_is_away(tmp_path: Path) -> None:
    async with world_without(tmp_path) as world:
        world.stack.cluster.faults.add("POST", "/workflows", drop=True, times=10**6)
        await world.start()
        shas = [await world.push({**PASSING, "n": str(n)}, branch=f"b{n}") for n in range(6)]
        runs = [await the_run(world, sha) for sha in shas]
        await world.until(lambda: all("Waiting" in summary(run) for run in runs))
        await world.until(
            lambda: len(world.stored("SELECT id FROM deliveries WHERE reason LIKE 'waits: %'")) == 12
        )
        asked, tried = len(world.api_calls("POST", "/graphql")), posts(world)
        await world.until(lambda: posts(world) > tried + 5)
        assert len(world.api_calls("POST", "/graphql")) - asked <= 8
        world.stack.cluster.faults.clear()
        await world.submitted(6)


async def graphql(world: World, more: int) -> None:
    """Wait until GitHub was asked so often once more."""
    asked = len(world.api_calls("POST", "/graphql"))
    await world.until(lambda: len(world.api_calls("POST", "/graphql")) >= asked + more)


def postpone_the_first(world: World) -> None:
    """Let the next try of the push that came first be a long time away, as it may be after a long wait."""
    with closing(sqlite3.connect(world.stack.options.store_url.removeprefix("sqlite:///"))) as store, store:
        first = "SELECT id FROM deliveries WHERE state = 'waiting' ORDER BY received_at LIMIT 2"  # and its check suite
        store.execute(f"UPDATE deliveries SET due = due + 3600 WHERE id IN ({first})")
