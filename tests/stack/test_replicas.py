"""Two replicas on one PostgreSQL: nothing is doubled, and one leads."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fleet import Fleet, fleet_in
from postgres_server import PostgresServer
from tests_stack import PASSING, REPOSITORY
from world import LINES, Step

from kubeci.workflow import metadata

COMMITS = 24


@pytest.fixture
async def fleet(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Fleet]:
    """Two replicas."""
    async with fleet_in(tmp_path, postgres.new_database()) as made:
        await asyncio.gather(made.begin("a"), made.begin("b"))
        yield made


def shas_of_workflows(fleet: Fleet) -> Counter[str]:
    return Counter(metadata.annotations_of(each)[metadata.SHA] for each in fleet.workflows())


async def test_each_commit_is_built_once_whoever_hears_of_it(fleet: Fleet) -> None:
    shas = [await fleet.push(PASSING | {"n": str(n)}, branch=f"b{n}") for n in range(COMMITS)]
    await fleet.quiet()
    assert Counter(run.suite.head_sha for run in fleet.stack.github.state.runs.values()) == Counter(shas)
    assert shas_of_workflows(fleet) == Counter(shas)
    worked = dict(fleet.stored("SELECT claimed_by, count(*) FROM deliveries WHERE attempts > 0 GROUP BY 1"))
    assert set(worked) == {"a", "b"}, "both worked"
    assert not fleet.stored("SELECT * FROM locks"), "all were freed"


async def test_another_replica_reports_when_the_leader_goes(fleet: Fleet) -> None:
    name = await leader_of(fleet)
    first = fleet.leader()
    shas = [await fleet.push(PASSING | {"n": str(n)}, branch=f"b{n}") for n in range(3)]
    await fleet.submitted(3)
    await fleet.quiet()
    running, ending, gone = (each["metadata"]["name"] for each in fleet.workflows())
    fleet.status(running, "Running", Step("a", "Running"))
    fleet.status(ending, "Succeeded", Step("a", log=LINES))
    await fleet.end(name)
    fleet.delete(gone)
    fleet.status(running, "Failed", Step("a", "Failed"))
    runs = [await fleet.concluded(sha) for sha in shas]
    assert sorted(run.conclusion or "" for run in runs) == ["cancelled", "failure", "success"]
    assert fleet.leader() not in {first, ""}
    assert len(fleet.stack.github.state.runs) == 3
    [annotated] = [run for run in runs if run.conclusion == "success"]
    # GitHub takes fifty a write, and the conclusion comes with the first.
    await fleet.until(lambda: len(annotated.annotations) >= 120)
    assert len(annotated.annotations) == 120


async def leading(fleet: Fleet) -> list[str]:
    """Say which replicas show that they lead."""
    found = []
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        for name in fleet.lives:
            fleet.ask(name)
            assert (await client.get(f"{fleet.url}/status")).status_code == 200, "both are ready"
            if "kubeci_leader 1.0" in (await client.get(f"{fleet.url}/metrics")).text:
                found.append(name)
    fleet.front.apps = list(fleet.webs.values())
    return found


async def leader_of(fleet: Fleet) -> str:
    """Wait until one leads, and shows it."""
    async with asyncio.timeout(20):
        while not (found := await leading(fleet)):
            await asyncio.sleep(0.02)
    [name] = found
    return name


async def test_a_build_that_one_replica_starts_is_cancelled_by_another(fleet: Fleet) -> None:
    fleet.ask("a")
    fleet.stack.cluster.faults.add("POST", r"/workflows\?", delay_seconds=1.0)
    sha = await fleet.push(PASSING)
    [run] = await fleet.until(lambda: fleet.runs(sha))
    await fleet.until(lambda: fleet.stored("SELECT * FROM locks WHERE name LIKE 'creation %'"))
    fleet.ask("b")
    await fleet.stack.github.press(run.id, "cancel")
    name = await fleet.submitted()
    await fleet.until(lambda: fleet.workflows()[0]["spec"].get("shutdown"))
    fleet.status(name, "Failed")
    await fleet.concluded(sha)
    await fleet.quiet()
    assert [each.conclusion for each in fleet.runs(sha)] == ["cancelled"]


async def test_two_requests_with_one_idempotency_key_are_one_run(fleet: Fleet) -> None:
    sha = await fleet.push({"README.md": "x", **PASSING}, branch="b")
    await fleet.quiet()
    owner, _, repository = REPOSITORY.partition("/")
    body = {"org": owner, "repo": repository, "ref": "b", "hash": sha, "run": True}
    headers = {"Authorization": "Bearer the secret of ops", "Idempotency-Key": "one"}
    async with httpx.AsyncClient(trust_env=False, verify=False, headers=headers) as client:
        asked = (client.post(f"{fleet.url}/api/v1/run", json=body) for _ in range(4))
        answers = await asyncio.gather(*asked)
    assert [each.status_code for each in answers].count(201) == 1, [each.text for each in answers]
    assert len({each.json()["run"]["id"] for each in answers}) == 1
    assert len(fleet.workflows()) == 2, "the push's and the request's"
    assert len(fleet.runs(sha)) == 2
