"""The API server, Argo's controller and our own server end in the middle and begin again; nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import signal
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from audited import audit_size, requests_of
from control_plane import ControlPlane
from given_cluster import RealCluster
from played import build, step
from real_scene import PACE, WORKFLOWS, RealScene, real_scene
from served_process import serve

from kubeci.cluster.list_watch import Timing
from kubeci.errors import UpstreamError
from kubeci.workflow import metadata

pytestmark = pytest.mark.cluster


@pytest.fixture
async def ci(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene:
        scene.patience_seconds = (
            90.0  # Kubernetes' own programs, too, wait longer and longer for their API server
        )
        yield scene


@pytest.fixture
def plane(real_cluster: RealCluster) -> ControlPlane:
    if real_cluster.plane is None:
        pytest.skip("the programs of the cluster KUBECI_TEST_KUBECONFIG names cannot be stopped")
    return real_cluster.plane


@asynccontextmanager
async def without(plane: ControlPlane, name: str) -> AsyncIterator[None]:
    """Kill a program of the control plane for the block, as the end of its machine does; afterwards it is ready again."""
    await asyncio.to_thread(plane.programs[name].stop, signal.SIGKILL)
    try:
        yield
    finally:
        await asyncio.to_thread(plane.start, name)


@asynccontextmanager
async def nudging(ci: RealScene) -> AsyncIterator[None]:
    """Touch the workflows that run: one whose update failed Argo's controller looks at when it changes, else after 20 minutes."""

    async def nudge() -> None:
        for number in count():
            touched = {"metadata": {"annotations": {"kubeci.test/nudged": str(number)}}}
            with suppress(UpstreamError):  # it is not quite there again
                for each in await ci.workflows():
                    if "finishedAt" not in each.get("status", {}):
                        await ci.patch(WORKFLOWS, each["metadata"]["name"], touched)
            await asyncio.sleep(3)

    nudges = asyncio.create_task(nudge())
    try:
        yield
    finally:
        nudges.cancel()
        with suppress(asyncio.CancelledError):
            await nudges


def commit(seconds: float = 0.3, **more: str) -> dict[str, str]:
    return build(step("ci", seconds=seconds)) | more


async def once(ci: RealScene, *commits: str) -> None:
    """Each commit has one check-run, a success with its one annotation, and one workflow."""
    for sha in commits:
        run = await ci.concluded(sha)
        assert (len(ci.runs(sha)), run.conclusion, len(run.annotations)) == (1, "success", 1)
    await ci.quiet()
    found = [metadata.annotations_of(each)[metadata.SHA] for each in await ci.workflows()]
    assert sorted(found) == sorted(commits)
    assert len(ci.api_calls("POST", "/check-runs")) == len(commits)


async def test_the_api_server_is_away(ci: RealScene, plane: ControlPlane) -> None:
    async with ci.serving():
        running = await ci.push(commit(seconds=3))
        await ci.in_progress(running)
        async with without(plane, "kube-apiserver"):
            pushed = await ci.push(commit(x="while it is away"), branch="topic")
            await ci.until(
                lambda: ci.stored("SELECT 1 FROM deliveries WHERE state = 'waiting' AND reason != ''")
            )
            assert [run.status for run in (*ci.runs(running), *ci.runs(pushed))] == ["in_progress", "queued"]
        async with nudging(ci):
            await once(ci, running, pushed)


async def test_the_api_server_has_forgotten_where_our_watch_stands(
    ci: RealScene, plane: ControlPlane
) -> None:
    # So patient, the watch is resumed at its old version rather than begun anew.
    patient = replace(PACE, watch=Timing(backoff=6.0))
    async with ci.serving(patient):
        sha = await ci.push(commit(seconds=3))
        await ci.in_progress(sha)
        await asyncio.to_thread(compact, plane)
        restarted = audit_size(ci.place.cluster)
        async with without(plane, "kube-apiserver"):
            pass
        async with nudging(ci):
            await once(ci, sha)
    asked = [each for each in requests_of(ci.place.cluster, restarted) if each.right.resource == "workflows"]
    accepted = [each.right.verb for each in asked if each.code == 200]
    assert [verb for verb in accepted if verb in {"list", "watch"}] == ["watch", "list", "watch"], asked


def compact(plane: ControlPlane) -> None:
    """Let etcd forget all versions but the present ones, by its gRPC gateway."""
    options = dict(each.split("=", 1) for each in plane.programs["etcd"].argv[1:] if "=" in each)
    address = options["--listen-client-urls"]

    def ask(path: str, body: dict[str, Any]) -> dict[str, Any]:
        asked = urllib.request.Request(f"{address}/v3/kv/{path}", json.dumps(body).encode())
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return dict(json.load(answer))

    revision = ask("range", {"key": "AA=="})["header"]["revision"]
    ask("compaction", {"revision": revision, "physical": True})


async def test_argos_controller_is_away(ci: RealScene, plane: ControlPlane) -> None:
    async with ci.serving():
        running = await ci.push(commit(seconds=1))
        await ci.in_progress(running)
        async with without(plane, "workflow-controller"):
            pushed = await ci.push(commit(x="while it is away"), branch="topic")
            await ci.until(lambda: ci.runs(pushed))
            await ci.quiet()

            async def ended() -> bool:
                [first] = [each for each in await ci.workflows() if "status" in each]
                pods = await ci.pods_of(first["metadata"]["name"])
                return [pod["status"]["phase"] for pod in pods] == ["Succeeded"]

            await ci.eventually(ended)
            assert [run.status for run in (*ci.runs(running), *ci.runs(pushed))] == ["in_progress", "queued"]
        await once(ci, running, pushed)


async def test_our_server_is_away_while_a_build_ends(ci: RealScene) -> None:
    async with ci.serving():
        sha = await ci.push(commit(seconds=2))
        await ci.in_progress(sha)
        await ci.quiet()
    await ci.eventually(lambda: phases(ci, "Succeeded"))
    missed = await ci.push(commit(x="while it is away"), branch="topic")
    await ci.place.github.settled()
    async with ci.serving():
        for each in [each for each in ci.place.github.deliveries.sent if each.status_code == 502]:
            ci.place.github.deliveries.add(each.event, each.payload, guid=each.guid)  # GitHub's "Redeliver"
        await once(ci, sha, missed)


async def phases(ci: RealScene, *wanted: str) -> bool:
    return [each.get("status", {}).get("phase") for each in await ci.workflows()] == list(wanted)


async def has_check_run(ci: RealScene) -> bool:
    return bool(ci.place.github.state.runs)


async def has_workflow(ci: RealScene) -> bool:
    return bool(await ci.workflows())


async def is_told_to_run(ci: RealScene) -> bool:
    return bool(ci.api_calls("PATCH", "/check-runs/"))


async def has_ended(ci: RealScene) -> bool:
    return await phases(ci, "Succeeded")


@pytest.mark.parametrize("point", [has_check_run, has_workflow, is_told_to_run, has_ended])
async def test_our_server_is_killed_when_its_build(
    ci: RealScene, tmp_path: Path, point: Callable[[RealScene], Awaitable[bool]]
) -> None:
    settings = f'buildBranches: "."\nmanagedBy: {ci.place.config.managed_by}\n'
    async with serve(ci.place, tmp_path, settings) as process:
        sha = await ci.push(commit(seconds=1))
        await ci.eventually(lambda: point(ci))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with serve(ci.place, tmp_path, settings):
        await once(ci, sha)
