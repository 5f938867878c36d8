"""The server is killed at every telling point; after its restart GitHub ends up as if nothing had been."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests_stack import PASSING
from world import NEVER, Step, World

from kubeci.local.stack import WEBHOOK_SECRET

LINES = "".join(f"src/a.py:{n}: error: line {n}\n" for n in range(1, 121))
POST_RUN, PATCH_RUN = ("POST", "/check-runs$"), ("PATCH", "/check-runs/")
POST_WORKFLOW = ("POST", r"/workflows\?")


def asked(world: World, method: str, part: str, *, times: int = 1) -> Callable[[], bool]:
    return lambda: len(world.api_calls(method, part)) >= times


def asked_cluster(world: World, method: str) -> Callable[[], bool]:
    return lambda: any(each.method == method for each in world.stack.cluster.requests)


@dataclass(frozen=True)
class Point:
    """Where the server hangs when it is killed: `hang` makes it, `reached` sees it."""

    name: str
    hang: Callable[[World], object]
    reached: Callable[[World], Callable[[], bool]]


SUBMISSION = [
    Point(
        "delivery stored but not worked on",
        lambda world: world.github_fault("POST", "/graphql", status=500, delay_seconds=NEVER),
        lambda world: asked(world, "POST", "/graphql"),
    ),
    Point(
        "check-run not created",
        lambda world: world.github_fault(*POST_RUN, status=500, delay_seconds=NEVER),
        lambda world: asked(world, "POST", "/check-runs"),
    ),
    Point(
        "check-run created but not recorded",
        lambda world: world.github_fault(*POST_RUN, after=True, delay_seconds=NEVER),
        lambda world: asked(world, "POST", "/check-runs"),
    ),
    Point(
        "check-run recorded but workflow not created",
        lambda world: world.stack.cluster.faults.add(*POST_WORKFLOW, status=500, delay_seconds=NEVER),
        lambda world: asked_cluster(world, "POST"),
    ),
    Point(
        "workflow created but not recorded",
        lambda world: world.stack.cluster.faults.add(
            *POST_WORKFLOW, after=True, drop=True, delay_seconds=NEVER
        ),
        lambda world: asked_cluster(world, "POST"),
    ),
]


@pytest.mark.parametrize("point", SUBMISSION, ids=lambda point: point.name)
async def test_killed_during_submission(world: World, point: Point) -> None:
    point.hang(world)
    sha = await world.push(PASSING)
    await world.until(point.reached(world))
    await world.restart()
    name = await world.submitted()
    world.status(name, "Succeeded", Step("a", log=LINES))
    run = await world.concluded(sha)
    await world.quiet()
    await once(world, sha)
    assert (run.name, run.conclusion) == ("Workflow - ci", "success")


async def once(world: World, sha: str) -> None:
    """Exactly one check-run, one workflow, and each annotation once."""
    [run] = world.runs(sha)
    await world.until(lambda: len(run.annotations) >= 120)
    assert [each["start_line"] for each in run.annotations] == list(range(1, 121))
    assert len(world.workflows()) == 1
    assert len(world.api_calls("POST", "/check-runs")) <= 2


@pytest.mark.parametrize("phase", ["Running", "Failed", "deleted"])
async def test_killed_while_the_workflow_runs_and_started_when_it_is(world: World, phase: str) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Running", Step("a", "Running"))
    await world.until(lambda: [run for run in world.runs(sha) if run.status == "in_progress"])
    await world.quiet()
    await world.kill()
    if phase == "deleted":
        world.delete(name)
    elif phase == "Failed":
        world.status(name, "Failed", Step("a", "Failed", log=LINES))
    await world.start()
    if phase == "Running":
        world.status(name, "Failed", Step("a", "Failed", log=LINES))
    run = await world.concluded(sha)
    assert run.conclusion == ("cancelled" if phase == "deleted" else "failure")
    if phase != "deleted":
        await once(world, sha)


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("arrived", [True, False])
async def test_killed_in_the_middle_of_sending_annotations(world: World, before: int, arrived: bool) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    await world.quiet()
    if before:
        world.github_fault(*PATCH_RUN, delay_seconds=0.001, times=before)
    world.github_fault(*PATCH_RUN, status=None if arrived else 500, after=arrived, delay_seconds=NEVER)
    world.status(name, "Failed", Step("a", "Failed", log=LINES))
    await world.until(asked(world, "PATCH", "/check-runs/", times=before + 1))
    await world.restart()
    run = await world.concluded(sha)
    assert run.conclusion == "failure"
    await once(world, sha)


async def test_killed_before_the_older_build_was_stopped(world: World) -> None:
    await world.push(PASSING)
    older = await world.submitted()
    world.status(older, "Running")
    await world.quiet()
    world.stack.cluster.faults.add("PATCH", "/workflows/", status=500, delay_seconds=NEVER)
    await world.push(PASSING | {"x": "y"})
    await world.submitted(2)
    await world.until(asked_cluster(world, "PATCH"))
    await world.restart()
    await world.until(lambda: [each for each in world.workflows() if each["spec"].get("shutdown") == "Stop"])
    assert [each["metadata"]["name"] for each in world.workflows() if "shutdown" in each["spec"]] == [older]
    await world.quiet()
    assert len(world.workflows()) == 2


async def test_killed_before_the_older_build_was_stopped_and_deleted_while_away(world: World) -> None:
    sha = await world.push(PASSING)
    older = await world.submitted()
    await world.quiet()
    world.stack.cluster.faults.add("PATCH", "/workflows/", status=500, delay_seconds=NEVER)
    newer_sha = await world.push(PASSING | {"x": "y"})
    newer = await world.submitted(2)
    await world.until(asked_cluster(world, "PATCH"))
    await world.kill()
    world.delete(newer)
    world.delete(older)
    await world.start()
    assert (await world.concluded(sha)).conclusion == "cancelled"
    assert (await world.concluded(newer_sha)).conclusion == "cancelled"
    await world.quiet()
    assert world.workflows() == []


@pytest.mark.parametrize("arrived", [True, False])
async def test_killed_while_a_wrong_definition_is_reported(world: World, arrived: bool) -> None:
    world.github_fault(*POST_RUN, status=None if arrived else 500, after=arrived, delay_seconds=NEVER)
    sha = await world.push({".kube-ci/ci.yaml": "kind: Workflow\nkind: Workflow\n"})
    await world.until(asked(world, "POST", "/check-runs"))
    await world.restart()
    run = await world.concluded(sha)
    await world.quiet()
    assert run.conclusion == "failure"
    assert [each.id for each in world.runs(sha)] == [run.id]
    assert len(run.annotations) == 1


async def test_retried_and_failed_again_while_away_is_a_new_check_run(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Failed", Step("a", "Failed", log="src/a.py:1: first\n"))
    first = await world.finished(sha)
    await world.kill()
    world.status(name, "Succeeded", Step("a", log="src/a.py:2: second\n", attempt=1))
    await world.start()
    second = await world.concluded(sha, count=2)
    assert (first.conclusion, second.conclusion, first.name) == ("failure", "success", second.name)
    assert [each["start_line"] for each in second.annotations] == [2]


async def test_killed_while_a_retry_gets_its_check_run(world: World) -> None:
    sha = await world.push(PASSING)
    name = await world.submitted()
    world.status(name, "Failed", Step("a", "Failed"))
    await world.finished(sha)
    world.github_fault(*POST_RUN, after=True, delay_seconds=NEVER)
    world.status(name, "Running", Step("a", "Running"))
    await world.until(asked(world, "POST", "/check-runs", times=2))
    await world.restart()
    world.status(name, "Succeeded", Step("a", attempt=1))
    run = await world.concluded(sha, count=2)
    assert [each.conclusion for each in world.runs(sha)] == ["failure", "success"]
    assert run.name == "Workflow - ci"


@asynccontextmanager
async def serve(world: World, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `kubeci serve` between the surroundings; it is killed at the end of the block."""
    options = world.stack.options
    (folder / "key.pem").write_text(options.private_key)
    (folder / "secret").write_text(WEBHOOK_SECRET)
    (folder / "settings.yaml").write_text('buildBranches: "."\n')
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    command = [
        f"--github.appid={options.app_id}",
        f"--config={folder / 'settings.yaml'}",
        f"--keyfile={folder / 'key.pem'}",
        f"--secretfile={folder / 'secret'}",
        f"--github-url={options.github_url}",
        f"--kubeconfig={options.kubeconfig}",
        f"--store={options.store_url}",
        f"--listen={address}",
    ]
    with (folder / "server.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kubeci", "serve", *command, stdout=log, stderr=log,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
        )  # fmt: skip
    try:
        await _answers(f"http://{address}/status")
        world.stack.github.webhook_url = f"http://{address}/webhooks/github"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(url: str) -> None:
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False, verify=False) as client:
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.02)


async def test_a_real_process_killed_without_warning_leaves_nothing_open(
    world: World, tmp_path: Path
) -> None:
    await world.kill()
    async with serve(world, tmp_path) as process:
        world.stack.cluster.faults.add(*POST_WORKFLOW, after=True, drop=True, delay_seconds=NEVER)
        sha = await world.push(PASSING)
        name = await world.submitted()
        process.send_signal(signal.SIGKILL)
        await process.wait()
    world.status(name, "Succeeded", Step("a", log=LINES))
    async with serve(world, tmp_path):
        run = await world.concluded(sha)
        await once(world, sha)
        await world.quiet()
    assert run.conclusion == "success"
