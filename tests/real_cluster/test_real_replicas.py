"""Two replicas before a real API server: one leads by a real Lease, and is killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from given_cluster import RealCluster
from played import build, step
from postgres_server import PostgresServer
from real_scene import RealScene, real_scene
from served_process import serve

from kubeci.cluster.lease import ClusterLease, lease_name
from kubeci.errors import NotFound, UpstreamError
from kubeci.model.lease import Lease

pytestmark = pytest.mark.cluster

TAKEOVER_SECONDS = 15.0


@pytest.fixture
async def ci(real_cluster: RealCluster, tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene:
        scene.store_in(postgres.new_database())
        yield scene


async def lease_of(ci: RealScene) -> Lease | None:
    name = lease_name(ci.place.config.managed_by)
    try:
        return await ClusterLease(ci.place.admin, ci.place.cluster.namespace, name).get()
    except NotFound:
        return None


async def led_by_another(ci: RealScene, holder: str) -> Lease:
    """Wait until somebody else than `holder` leads."""

    async def look() -> Lease | None:
        found = await lease_of(ci)
        return found if found and found.holder not in {"", holder} else None

    found = await ci.eventually(look)
    assert found
    return found


def process_of(lease: Lease) -> int:
    """The number of the process that holds it: its name is the host's, the process's and a random one."""
    return int(lease.holder.split("/")[-2])


async def test_another_leads_within_fifteen_seconds_and_at_once_after_a_graceful_end(
    ci: RealScene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = f'buildBranches: "."\nmanagedBy: {ci.place.config.managed_by}\n'
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    async with serve(ci.place, folders[0], settings) as a, serve(ci.place, folders[1], settings) as b:
        first = await led_by_another(ci, "")
        [killed] = [each for each in (a, b) if each.pid == process_of(first)]
        sha = await ci.push(build(step("ci", seconds=4)))
        await ci.in_progress(sha)
        killed.kill()
        await killed.wait()
        began = datetime.now(UTC)
        second = await led_by_another(ci, first.holder)
        seconds = (second.acquired_at - began).total_seconds()
        with capsys.disabled():
            print(f"\nanother replica led {seconds:.1f} s after the kill")  # noqa: T201 - a figure of the issue
        assert seconds <= TAKEOVER_SECONDS
        assert second.transitions == first.transitions + 1
        run = await ci.concluded(sha)
        assert (run.conclusion, len(ci.runs(sha)), len(run.annotations)) == ("success", 1, 1)
        [left] = [each for each in (a, b) if each is not killed]
        async with serve(ci.place, folders[2], settings):
            left.terminate()
            assert await left.wait() == 0
            ended = datetime.now(UTC)
            third = await led_by_another(ci, second.holder)
            assert (third.acquired_at - ended).total_seconds() < 3.0, "it was given up"
            await ci.concluded(await ci.push(build(step("ci")), branch="after"))


async def test_only_who_saw_a_real_lease_last_may_replace_it(ci: RealScene) -> None:
    namespace, name = ci.place.cluster.namespace, "kubeci-test-lease"
    now = datetime.now(UTC)
    lease = ClusterLease(ci.place.admin, namespace, name)
    with pytest.raises(NotFound):
        await lease.get()
    made = await lease.create(Lease("a", 10, now, now))
    assert (made.holder, made.renewed_at) == ("a", now)
    given_up = await lease.replace(Lease("", 1, now, now, 1, made.metadata))
    assert (given_up.holder, given_up.transitions) == ("", 1)
    with pytest.raises(UpstreamError):
        await lease.replace(made)
    assert (await lease.replace(Lease("b", 10, now, now, 2, given_up.metadata))).holder == "b"
