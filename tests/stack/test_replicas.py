"""Two replicas on one PostgreSQL: nothing is doubled, and one leads."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fleet import Fleet, fleet_in
from postgres_server import PostgresServer, postgres_server
from tests_stack import PASSING, REPOSITORY
from world import LINES, Step, once

from kubeci.workflow import metadata

COMMITS = 24


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


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
