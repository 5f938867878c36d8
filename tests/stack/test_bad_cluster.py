"""A cluster that lacks what the server needs: each lack is told where it is missed, and heals by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from structlog.testing import capture_logs
from test_cache_volumes import NAMED, cached
from tests_stack import PASSING, REPOSITORY
from world import FAST, NAMESPACE, Step, World

from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.crds import Crds
from kubeci.local.cluster.fields import FieldProblem
from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOW_TEMPLATES
from kubeci.local.cluster.users import User
from kubeci.local.cluster.workflow_fields import WorkflowFields
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import StackSettings, surroundings
from kubeci.model.json import JsonObject
from kubeci.service.patience import LONGEST_WAIT

ROLE = Path(__file__).parents[2] / "rbac" / "kubeci.yaml"
ARGO = "argoproj.io"
Right = tuple[str, str, str]
"""Verb, API group, resource with its subresource."""


def granted() -> list[Right]:
    [role] = [each for each in yaml.safe_load_all(ROLE.read_text()) if each["kind"] == "Role"]
    return [
        (verb, group, resource)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def words(verb: str, group: str, resource: str) -> str:
    named = f"{resource}.{group}" if group else resource
    return (
        f"the server may not {verb} {resource} in the namespace argo: its role lacks `{verb} {named}`; "
        "kubectl apply --namespace argo --filename rbac/kubeci.yaml"
    )


@asynccontextmanager
async def world_without(folder: Path, *denied: Right) -> AsyncIterator[World]:
    """A world whose server is a user of the cluster that lacks some rights; it is started by the test."""
    async with surroundings(folder, StackSettings(engine=False)) as around:
        await around.github.create_repository(REPOSITORY)
        user = User("system:serviceaccount:kubeci:kubeci", allowed=True, denied=frozenset(denied))
        around.cluster.further_users = (user,)
        around.cluster.write_kubeconfig(folder / "kubeconfig", user)
        made = World(around)
        try:
            yield made
        finally:
            if made.life:
                await made.kill()


def summary(run: CheckRun) -> str:
    return str(run.output.get("summary"))


async def the_run(world: World, sha: str) -> CheckRun:
    """Wait for the check-run of a commit."""
    run: CheckRun
    [run] = await world.until(lambda: world.runs(sha))
    return run


async def build(world: World) -> tuple[CheckRun, str]:
    """Push a commit; gives its check-run and what it says if the build does not begin."""
    run = await the_run(world, await world.push(PASSING))
    await world.until(lambda: world.workflows() or "Waiting" in summary(run) or run.status == "completed")
    return run, "" if world.workflows() else summary(run)


async def cancel_one_that_runs(world: World, run: CheckRun) -> str:
    name = run.details_url.rpartition("/")[2]
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: run.status == "in_progress")
    await world.stack.github.press(run.id, "cancel")
    await world.until(lambda: "shutdown" in world.workflows()[0]["spec"] or "pressed Cancel" in summary(run))
    told = summary(run) if "pressed Cancel" in summary(run) else ""
    world.status(name, "Failed", Step("a", "Failed", log="src/a.py:1: one\n"))
    await world.until(lambda: run.status == "completed")
    # What was not stopped failed by itself.
    assert run.conclusion == ("failure" if told else "cancelled")
    return told


async def build_with_a_cache(world: World) -> tuple[str, str]:
    """Build on a branch and clear its cache; gives what the check-run says of either that does not go as usual."""
    before = len(world.workflows())
    run = await the_run(world, await world.push(cached(**NAMED), branch="cached"))
    await world.until(lambda: len(world.workflows()) > before or run.status == "completed")
    if run.status == "completed":
        return summary(run), ""
    name = run.details_url.rpartition("/")[2]
    [claim] = [each["metadata"]["name"] for each in world.stack.cluster.objects.list(CLAIMS, NAMESPACE)]
    await world.quiet()
    world.stack.cluster.objects.create(PODS, NAMESPACE, holding(claim))
    world.status(name, "Succeeded", Step("a"))
    await world.until(lambda: run.status == "completed")
    await world.quiet()
    await world.stack.github.press(run.id, "clearCache")
    await world.until(lambda: "Clear Cache" in summary(run) or "cleared the cache" in summary(run))
    return "", "" if "cleared the cache: 1 cache volume deleted" in summary(run) else summary(run)


def holding(claim: str) -> dict[str, Any]:
    """An ended pod of a workflow that holds a claim."""
    volumes = [{"name": "cache", "persistentVolumeClaim": {"claimName": claim}}]
    spec = {"containers": [{"name": "main", "image": "alpine"}], "volumes": volumes}
    labels = {"workflows.argoproj.io/workflow": "ended"}
    return {"metadata": {"name": "holder", "labels": labels}, "spec": spec, "status": {"phase": "Succeeded"}}


async def refer_to_a_template(world: World) -> str:
    spec = {"entrypoint": "ci", "templates": [{"name": "ci", "container": {"image": "alpine"}}]}
    template = {"metadata": {"name": "shared"}, "spec": spec}
    world.stack.cluster.objects.create(WORKFLOW_TEMPLATES, NAMESPACE, template)
    before = len(world.workflows())
    run = await the_run(world, await world.push({".kube-ci/ci.yaml": REFERRING}, branch="referring"))
    await world.until(lambda: len(world.workflows()) > before or run.status == "completed")
    return summary(run) if run.status == "completed" else ""


REFERRING = yaml.safe_dump(
    {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "spec": {"entrypoint": "ci", "workflowTemplateRef": {"name": "shared"}},
    }
)
MISSED: dict[Right, str] = {
    ("create", ARGO, "workflows"): "build",
    ("get", ARGO, "workflows"): "",  # needed when an answer was lost, and for what the watch does not bring
    ("list", ARGO, "workflows"): "follow",
    ("watch", ARGO, "workflows"): "",  # lists bring the same, later
    ("patch", ARGO, "workflows"): "cancel",
    ("get", ARGO, "workflowtemplates"): "template",
    ("get", "", "pods/log"): "log",
    ("get", "", "persistentvolumeclaims"): "cache",
    ("list", "", "persistentvolumeclaims"): "clear",
    ("create", "", "persistentvolumeclaims"): "cache",
    ("delete", "", "persistentvolumeclaims"): "clear",
    ("list", "", "pods"): "clear",
    ("delete", "", "pods"): "clear",
}
"""Where each right is missed: in what the check-run of that place says, and in no other."""


def test_the_table_is_the_role() -> None:
    assert sorted(MISSED) == sorted(granted())


async def test_each_right_that_is_missing_is_told_where_it_is_missed_and_breaks_nothing_else(
    tmp_path: Path,
) -> None:
    found = await asyncio.gather(
        *(without(folder_in(tmp_path, number), right) for number, right in enumerate(MISSED))
    )
    expected = [{place: words(*right)} if place else {} for right, place in MISSED.items()]
    assert found == expected


def folder_in(folder: Path, number: int) -> Path:
    made = folder / str(number)
    made.mkdir()
    return made


async def without(folder: Path, right: Right) -> dict[str, str]:
    """Do all that needs a right in a cluster that does not grant one; gives by place what is told of it."""
    async with world_without(folder, right) as world:
        await world.start()
        if right == ("list", ARGO, "workflows"):
            await until_watch(world, works=False)
        found = await everything(world)
    assert "serviceaccount" not in str(found)
    return {place: words(*right) if words(*right) in told else told for place, told in found.items() if told}


async def everything(world: World) -> dict[str, str]:
    """Do all that needs a right, and give by place what a check-run says where it does not go as usual."""
    run, told = await build(world)
    if told:
        return {"build": told}
    if world.stack.cluster.further_users[0].denied == {("list", ARGO, "workflows")}:
        await world.until(lambda: "do not reach the server" in summary(run))
        return {"follow": summary(run)}
    found = {"cancel": await cancel_one_that_runs(world, run), "log": "" if run.annotations else summary(run)}
    found["cache"], found["clear"] = await build_with_a_cache(world)
    return found | {"template": await refer_to_a_template(world)}


async def watch(world: World) -> float:
    """Give the figure of the watch."""
    assert world.server
    async with httpx.AsyncClient(base_url=world.server.server_url, trust_env=False) as client:
        assert (await client.get("/status")).status_code == 200
        answer = await client.get("/metrics")
    [value] = [
        line.split()[1] for line in answer.text.splitlines() if line.startswith("kubeci_cluster_watch ")
    ]
    return float(value)


async def until_watch(world: World, *, works: bool) -> None:
    async with asyncio.timeout(20):
        while await watch(world) != works:
            await asyncio.sleep(0.02)


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


@pytest.mark.parametrize(("lack", "told", "stops_the_watch"), LACKS)
async def test_what_comes_in_before_the_cluster_is_ready_waits_and_builds_by_itself(
    tmp_path: Path, lack: Callable[[LocalCluster], None], told: str, *, stops_the_watch: bool
) -> None:
    async with world_without(tmp_path) as world:
        cluster = world.stack.cluster
        [user] = cluster.further_users
        lack(cluster)
        with capture_logs() as logs:
            await world.start()
            run, waiting = await build(world)
            await until_watch(world, works=not stops_the_watch)
            asked = len(cluster.requests)
            await world.until(lambda: len(cluster.requests) > asked + 10)
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
        assert len(world.runs(run.suite.head_sha)) == len(world.workflows()) == 1


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
