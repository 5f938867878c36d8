"""Scenes in memory, and what each of them must come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from memory_rooms import LINES_A_POD, REPOSITORY, MemoryChecks, MemoryCluster, Run
from recordings import Recording
from replay_kit import Scene, play, prepare, process
from sqlalchemy import Connection

from kubeci.model.repository import Commit
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import Database
from kubeci.store.tables import metadata

SLOWLY = timedelta(hours=1)
"""From event to event: nothing is coalesced."""
QUICKLY = timedelta(milliseconds=500)
"""From event to event: all progress is coalesced."""


@asynccontextmanager
async def scene_of(
    store: Database, recording: Recording, step: timedelta
) -> AsyncIterator[tuple[Scene, MemoryChecks]]:
    """Set the scene for a recording; the store is emptied for it."""
    await store.run(_empty)
    checks, cluster = MemoryChecks(), MemoryCluster(recording.pods)
    commit = Commit(REPOSITORY, "a" * 40)
    scene = await prepare(recording, SqlBuilds(store), checks, commit, cluster)
    scene.step = step
    yield scene, checks


def _empty(connection: Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        connection.execute(table.delete())


async def undisturbed(store: Database, recording: Recording, step: timedelta) -> list[Run]:
    """Play a recording from its beginning to its end; gives the check-runs."""
    async with scene_of(store, recording, step) as (scene, checks):
        async with process(scene) as server:
            await play(scene, server, 0, len(recording.events) - 1)
        return list(checks.runs.values())


def assert_end(recording: Recording, runs: list[Run]) -> None:
    """Hold check-runs, oldest first, to what the recording implies."""
    assert [run.body["conclusion"] for run in runs] == recording.conclusions
    assert len({(run.body["name"], run.body["details_url"]) for run in runs}) == 1
    summary = runs[-1].body["output"]["summary"]
    for name in recording.failed_names:
        assert f"`{name}`" in summary
    for run in runs:
        places = Counter((remark["path"], remark["start_line"]) for remark in run.annotations)
        assert set(places.values()) <= {1}, "an annotation stands twice"
    assert {remark["path"] for remark in runs[-1].annotations} == {
        f"src/{pod}.py" for pod in recording.pods_with_logs
    }
    assert len(runs[-1].annotations) == LINES_A_POD * len(recording.pods_with_logs)
