from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cluster_kit import Requests, until

from kubeci.cluster.client import Client
from kubeci.cluster.lease import ClusterLease, lease_name
from kubeci.errors import Conflict, Forbidden, NotFound, UpstreamError
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.faults import Fault
from kubeci.local.cluster.resources import LEASES
from kubeci.model.lease import Lease
from kubeci.service.election import Terms
from kubeci.service.leading import Leading

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
OURS = Lease("a", 10, NOW, NOW, transitions=2)
QUICK = Terms(lease=2, deadline=0.5, pause=0.05)
PATH = "/leases"


@pytest.fixture
def lease(client: Client) -> ClusterLease:
    return ClusterLease(client, "ci", "kube-ci")


def spec(cluster: LocalCluster) -> dict[str, Any]:
    found: dict[str, Any] = cluster.objects.get(LEASES, "ci", "kube-ci")["spec"]
    return found


def holder(cluster: LocalCluster) -> str | None:
    if not cluster.objects.has(LEASES, "ci", "kube-ci"):
        return None
    return str(spec(cluster).get("holderIdentity", ""))


async def test_what_is_written_is_read(cluster: LocalCluster, lease: ClusterLease) -> None:
    with pytest.raises(NotFound):
        await lease.get()
    assert await lease.create(OURS) == OURS
    assert spec(cluster) == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 10,
        "acquireTime": "2026-01-02T03:04:05.678901Z",
        "renewTime": "2026-01-02T03:04:05.678901Z",
        "leaseTransitions": 2,
    }
    read = await lease.get()
    assert read == OURS
    nobodys = await lease.replace(replace(read, holder="", duration_seconds=1))
    assert (nobodys.holder, nobodys.duration_seconds) == ("", 1)
    assert "holderIdentity" not in spec(cluster)


async def test_labels_that_somebody_gave_it_stay(cluster: LocalCluster, lease: ClusterLease) -> None:
    await lease.create(OURS)
    cluster.objects.merge_patch(LEASES, "ci", "kube-ci", {"metadata": {"labels": {"team": "ci"}}})
    await lease.replace(await lease.get())
    assert cluster.objects.get(LEASES, "ci", "kube-ci")["metadata"]["labels"] == {"team": "ci"}


async def test_only_who_saw_it_last_may_replace_it(lease: ClusterLease) -> None:
    first = await lease.create(OURS)
    with pytest.raises(Conflict):
        await lease.create(OURS)
    await lease.replace(replace(first, transitions=3))
    with pytest.raises(Conflict):
        await lease.replace(replace(first, transitions=4))


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ({"status": 403}, Forbidden),
        ({"status": 500}, UpstreamError),
        ({"drop": True}, UpstreamError),
        ({"cut_body": True}, UpstreamError),
    ],
)
async def test_what_goes_wrong_is_an_error_of_ours(
    cluster: LocalCluster, lease: ClusterLease, how: dict[str, Any], kind: type[UpstreamError]
) -> None:
    read = await lease.create(OURS)
    for method in ("GET", "PUT"):
        fault = cluster.faults.add(method, PATH, times=5, **how)
        with pytest.raises(kind):
            await (lease.get() if method == "GET" else lease.replace(read))
        fault.times = 0


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({}, ("", 0, 0)), ({"holderIdentity": "x", "leaseDurationSeconds": 7}, ("x", 7, 0))],
)
async def test_a_lease_that_another_wrote(
    cluster: LocalCluster, lease: ClusterLease, spec: dict[str, Any], expected: tuple[str, int, int]
) -> None:
    cluster.objects.create(LEASES, "ci", {"metadata": {"name": "kube-ci"}, "spec": spec})
    found = await lease.get()
    assert (found.holder, found.duration_seconds, found.transitions) == expected


@pytest.mark.parametrize("managed_by", ["kube-ci", "a", "A_b", "a-b", "a.b", "", "x" * 63, "--"])
async def test_every_label_value_has_a_lease_of_its_own(client: Client, managed_by: str) -> None:
    name = lease_name(managed_by)
    assert len({lease_name(each) for each in ("kube-ci", "a", "A_b", "a-b", "a.b", "", "--")}) == 7
    await ClusterLease(client, "ci", name).create(OURS)


@dataclass
class Candidate:
    """A replica whose only duty is to be seen at it."""

    name: str
    leading: Leading
    told: list[bool] = field(default_factory=list)
    busy: int = 0
    begun: int = 0

    async def duty(self) -> None:
        self.begun += 1
        self.busy += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.busy -= 1


@asynccontextmanager
async def candidate(client: Client, name: str, terms: Terms = QUICK) -> AsyncIterator[Candidate]:
    """Let a replica run for the lead until the block ends, where it ends gracefully."""
    told: list[bool] = []
    leading = Leading(ClusterLease(client, "ci", "kube-ci"), name, terms=terms, told=told.append)
    made = Candidate(name, leading, told)
    life = asyncio.create_task(leading.run([made.duty, made.duty]))
    try:
        yield made
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life
        assert not made.busy, "a duty goes on"


async def test_one_leads_and_another_follows_at_once_when_it_ends(
    cluster: LocalCluster, client: Client
) -> None:
    async with candidate(client, "b") as second:
        async with candidate(client, "a") as first:
            await until(lambda: first.busy + second.busy == 2)
            leads, follows = (first, second) if first.busy else (second, first)
            assert holder(cluster) == leads.name
            renewed = spec(cluster)["renewTime"]
            await until(lambda: spec(cluster)["renewTime"] > renewed)
            assert (follows.busy, follows.told) == (0, [False])
        await until(lambda: second.busy == 2 and holder(cluster) == "b")
        assert first.told[-1] is False
        assert second.told[-1] is True
    assert holder(cluster) == ""


async def test_what_a_dead_one_held_is_taken_when_it_ran_out(cluster: LocalCluster, client: Client) -> None:
    await ClusterLease(client, "ci", "kube-ci").create(replace(OURS, holder="dead", duration_seconds=1))
    began = asyncio.get_running_loop().time()
    async with candidate(client, "a") as ours:
        await until(lambda: ours.busy)
        assert 1.0 <= asyncio.get_running_loop().time() - began < 3.0
    assert spec(cluster)["leaseTransitions"] == 3


@pytest.mark.parametrize("how", [{"status": 500}, {"drop": True}, {"delay_seconds": 20.0}, {"status": 403}])
async def test_who_cannot_renew_steps_down_in_time_and_begins_anew(
    cluster: LocalCluster, client: Client, how: dict[str, Any]
) -> None:
    async with candidate(client, "a") as ours:
        await until(lambda: ours.busy == 2)
        failing = cluster.faults.add("*", PATH, times=10_000, **how)
        stopped_by = asyncio.get_running_loop().time() + QUICK.lease
        await until(lambda: not ours.busy)
        assert asyncio.get_running_loop().time() < stopped_by, "the lease may be another's by now"
        failing.times = 0
        await until(lambda: ours.busy == 2)
        assert ours.begun == 4
        assert ours.told[:4] == [False, True, False, False]


async def renewed_after(cluster: LocalCluster, fault: Fault) -> None:
    await until(lambda: not fault.times)
    renewed = spec(cluster)["renewTime"]
    await until(lambda: spec(cluster)["renewTime"] > renewed)


async def test_a_renewal_that_fails_once_is_nothing(
    cluster: LocalCluster, client: Client, requests: Requests
) -> None:
    async with candidate(client, "a") as ours:
        await until(lambda: ours.busy == 2)
        for how in ({"status": 409}, {"status": 500}, {"drop": True, "after": True}, {"cut_body": True}):
            await renewed_after(cluster, cluster.faults.add("PUT", PATH, **how))
        assert ours.begun == 2
    assert [status for method, _, status in requests if method == "POST"] == [201]


async def test_who_finds_the_lease_with_another_stops_at_once(cluster: LocalCluster, client: Client) -> None:
    patient = replace(QUICK, lease=60, deadline=50.0)
    async with candidate(client, "a", patient) as ours:
        await until(lambda: ours.busy == 2)
        cluster.objects.merge_patch(LEASES, "ci", "kube-ci", {"spec": {"holderIdentity": "usurper"}})
        await until(lambda: not ours.busy)
    assert holder(cluster) == "usurper", "it was not ours to give up"


async def test_an_error_of_a_duty_ends_all(client: Client) -> None:
    async def defect() -> None:
        raise RuntimeError("a defect of ours")

    leading = Leading(ClusterLease(client, "ci", "kube-ci"), "a", terms=QUICK)
    with pytest.raises(ExceptionGroup) as caught:
        await leading.run([defect])
    assert caught.group_contains(RuntimeError)
