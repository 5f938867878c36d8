"""A cluster that lacks what the server needs: builds wait and say for what, and begin by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from lacking import ARGO, build, figure, summary, the_run, until_watch, words, world_without
from structlog.testing import capture_logs
from tests_stack import PASSING
from world import FAST, NAMESPACE, Step, World

from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.crds import Crds
from kubeci.local.cluster.fields import FieldProblem
from kubeci.local.cluster.users import User
from kubeci.local.cluster.workflow_fields import WorkflowFields
from kubeci.model.json import JsonObject
from kubeci.service.intake import MAX_ATTEMPTS
from kubeci.service.patience import LONGEST_WAIT
from kubeci.service.unfollowed import SAID_AGAIN


def away(cluster: LocalCluster) -> None:
    cluster.faults.add("*", ".", drop=True, times=1_000_000)


def busy(cluster: LocalCluster) -> None:
    cluster.faults.add("*", ".", status=503, times=1_000_000)


def no_definitions(cluster: LocalCluster) -> None:
    cluster.crds = Crds("none")


def no_namespace(cluster: LocalCluster) -> None:
    cluster.namespaces = ()


def no_token(cluster: LocalCluster) -> None:
    cluster.further_users = ()


def no_right(cluster: LocalCluster) -> None:
    [user] = cluster.further_users
    cluster.further_users = (replace(user, denied=frozenset({("create", ARGO, "workflows")})),)


def whole(cluster: LocalCluster, user: User) -> None:
    cluster.faults.clear()
    cluster.crds, cluster.namespaces, cluster.further_users = Crds(), (NAMESPACE,), (user,)


LACKS = [
    # what is lacking, words of the check-run, whether that stops the watch too
    (away, "the cluster's API server cannot be reached", True),
    (busy, "the cluster's API server cannot answer at the moment (HTTP 503)", True),
    (no_definitions, "the cluster knows no Argo workflows: install Argo's definitions", True),
    (no_namespace, "there is no namespace argo: kubectl create namespace argo, or name another one", False),
    (no_token, "the cluster does not know the server: its token is wrong or has ended (HTTP 401)", True),
    (no_right, words("create", ARGO, "workflows"), False),
]


async def until_waiting(world: World, count: int) -> None:
    async with asyncio.timeout(20):
        while await figure(world, "kubeci_deliveries_waiting") != count:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("lack", "told", "stops_the_watch"), LACKS)
async def test_what_comes_in_before_the_cluster_is_ready_waits_and_builds_by_itself(
    tmp_path: Path, lack: Callable[[LocalCluster], None], told: str, *, stops_the_watch: bool
) -> None:
    async with world_without(tmp_path) as world:
        cluster = world.stack.cluster
        [user] = cluster.further_users
        lack(cluster)
        with capture_logs() as logs:
            await world.start(replace(FAST, backlog_seconds=0.05))
            run, waiting = await build(world)
            await until_watch(world, works=not stops_the_watch)
            asked = len(cluster.requests)
            await world.until(lambda: len(cluster.requests) > asked + 5)
            await until_waiting(world, 2)  # the push and its check suite
        assert run.status == "queued"
        assert told in waiting
        assert "127.0.0.1" not in waiting
        assert "serviceaccount" not in waiting
        for event, count in (
            ("workflows are not followed", int(stops_the_watch)),
            ("builds wait for the cluster", 1),
        ):
            lines = [line for line in logs if line["event"] == event]
            assert len(lines) == count, lines
            assert all(told in line["because"] for line in lines)
        whole(cluster, user)
        name = await world.submitted()
        world.status(name, "Succeeded", Step("a"))
        assert (await world.concluded(run.suite.head_sha)).conclusion == "success"
        assert "Waiting" not in summary(run)
        await until_watch(world, works=True)
        await world.quiet()
        await until_waiting(world, 0)
        assert len(world.runs(run.suite.head_sha)) == len(world.workflows()) == 1


async def test_a_build_waits_for_more_tries_than_others_get(tmp_path: Path) -> None:
    async with world_without(tmp_path, ("create", ARGO, "workflows")) as world:
        await world.start()
        run, _ = await build(world)
        deliveries = 2  # the push and its check suite
        await world.until(
            lambda: (
                [each.method for each in world.stack.cluster.requests].count("POST")
                > deliveries * MAX_ATTEMPTS
            )
        )
        assert run.status == "queued"
        assert not world.deliveries("parked")
        assert len(world.api_calls("PATCH", "/check-runs/")) == 1


async def test_a_build_that_waited_for_a_day_is_given_up_with_the_reason(tmp_path: Path) -> None:
    async with world_without(tmp_path, ("create", ARGO, "workflows")) as world:
        await world.start()
        run, _ = await build(world)
        await world.kill()
        world.clock.ahead = LONGEST_WAIT
        await world.start()
        await world.until(lambda: run.status == "completed")
        assert run.conclusion == "failure"
        assert summary(run).startswith("argo workflow creation failed, ")
        assert words("create", ARGO, "workflows") in summary(run)
        assert "re-run this check" in summary(run)
        await world.quiet()
        assert not world.deliveries("parked")


async def test_a_build_whose_workflow_cannot_be_followed_says_so_until_it_can(tmp_path: Path) -> None:
    async with world_without(tmp_path) as world:
        await world.start(replace(FAST, unfollowed_seconds=0.1))
        run, _ = await build(world)
        name = await world.submitted()
        world.status(name, "Running", Step("a", "Running"))
        await world.until(lambda: run.status == "in_progress")
        usual = summary(run)
        away(world.stack.cluster)
        world.stack.cluster.cut_watches()
        told = "do not reach the server: `the cluster's API server cannot be reached`"
        await world.until(lambda: told in summary(run))
        assert run.status == "in_progress"
        world.clock.ahead = timedelta(minutes=5)  # progress is held back for a while
        world.stack.cluster.faults.clear()
        await world.until(lambda: summary(run) == usual)


async def test_an_api_server_that_comes_and_goes_is_told_of_once_an_hour(tmp_path: Path) -> None:
    async with world_without(tmp_path) as world:
        await world.start(replace(FAST, unfollowed_seconds=0.1))
        run, _ = await build(world)
        name = await world.submitted()
        world.status(name, "Running", Step("a", "Running"))
        await world.until(lambda: run.status == "in_progress")
        usual, cluster = summary(run), world.stack.cluster
        for told in (True, False, False, True):
            before = len(world.api_calls("PATCH", "/check-runs/"))
            away(cluster)
            cluster.cut_watches()
            asked = len(cluster.requests)
            await until_watch(world, works=False)
            await world.until(
                lambda told=told, asked=asked: (
                    "do not reach" in summary(run) if told else len(cluster.requests) > asked + 8
                )
            )
            cluster.faults.clear()
            await until_watch(world, works=True)
            await world.until(lambda: summary(run) == usual)
            assert len(world.api_calls("PATCH", "/check-runs/")) - before == (2 if told else 0)
            world.clock.ahead += SAID_AGAIN / 3


async def test_a_button_pressed_while_the_cluster_is_away_is_answered(tmp_path: Path) -> None:
    async with world_without(tmp_path) as world:
        await world.start()
        run, _ = await build(world)
        await world.quiet()
        away(world.stack.cluster)
        await world.stack.github.press(run.id, "cancel")
        told = "pressed Cancel, and it could not be done: the cluster's API server cannot be reached"
        await world.until(lambda: told in summary(run))


class OldFields(WorkflowFields):
    """The schema of a cluster whose Argo does not have `spec.parallelism` yet."""

    def problems(self, obj: JsonObject) -> list[FieldProblem]:
        newer = [FieldProblem(("spec", "parallelism"), "unknown")] if "parallelism" in obj["spec"] else []
        return [*super().problems(obj), *newer]


class NoFields(WorkflowFields):
    """The schema of minimal definitions."""

    def problems(self, _: JsonObject) -> list[FieldProblem]:
        return []


@pytest.mark.parametrize(
    ("field", "hint"), [("parallelism", True), ("paralelism", False)], ids=["older Argo", "misspelt"]
)
async def test_a_field_that_the_cluster_does_not_know_fails_at_once_with_its_words(
    tmp_path: Path, field: str, *, hint: bool
) -> None:
    async with world_without(tmp_path) as world:
        world.stack.cluster.schema = OldFields()
        await world.start()
        run = await the_run(world, await world.push({".kube-ci/ci.yaml": definition(field)}))
        await world.until(lambda: run.status == "completed")
        assert f'unknown field "spec.{field}"' in summary(run)
        assert ("the cluster's Argo is an older one" in summary(run)) is hint
        assert len([each for each in world.stack.cluster.requests if each.method == "POST"]) == 1


async def test_under_minimal_definitions_our_own_schema_still_warns(tmp_path: Path) -> None:
    async with world_without(tmp_path) as world:
        world.stack.cluster.schema = NoFields()
        await world.start()
        sha = await world.push({".kube-ci/ci.yaml": definition("paralelism")})
        world.status(await world.submitted(), "Succeeded")
        run = await world.concluded(sha)
        assert run.conclusion == "success"
        assert "`paralelism` is not a field" in summary(run)
        assert "did you mean `parallelism`" in summary(run)


def definition(field: str) -> str:
    """Give a definition with a field of its spec."""
    written: dict[str, Any] = yaml.safe_load(PASSING[".kube-ci/ci.yaml"])
    return yaml.safe_dump({**written, "spec": {**written["spec"], field: 1}})
