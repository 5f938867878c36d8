from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from math import ceil

import pytest
import pytest_asyncio
from memory_rooms import LINES_A_POD, Run
from recordings import ALL, Recording, named
from replay_kit import Life, play, process
from scenes import QUICKLY, SLOWLY, assert_end, scene_of, undisturbed

from kubeci.store.database import Database, database

EACH = pytest.mark.parametrize("recording", ALL, ids=lambda recording: recording.name)
TELLING = [named(start) for start in ("04", "10", "11", "15", "27", "33")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store() -> AsyncIterator[Database]:
    """The store of all scenes, one after the other: making one takes as long as a scene."""
    async with database("sqlite://") as opened:
        yield opened


def test_all_recordings_are_there() -> None:
    assert len(ALL) == 40
    assert sum(len(recording.events) for recording in ALL) == 240
    ends = [recording.conclusions for recording in ALL]
    assert [ends.count(["success"]), ends.count(["failure"]), ends.count(["cancelled"])] == [20, 17, 2]
    assert named("15").conclusions == ["failure", "success"]


@EACH
async def test_progress_is_coalesced(store: Database, recording: Recording) -> None:
    runs = await undisturbed(store, recording, QUICKLY)
    assert_end(recording, runs)
    for run in runs:
        # Created, the first progress, the end; GitHub takes 50 annotations a write.
        assert run.writes <= 3 + max(0, ceil(len(run.annotations) / 50) - 1)


@EACH
async def test_logs_that_are_gone_change_no_conclusion(store: Database, recording: Recording) -> None:
    async with scene_of(store, recording, QUICKLY) as (scene, checks):
        scene.cluster.pods = frozenset()
        async with process(scene) as server:
            await play(scene, server, 0, len(recording.events) - 1)
        runs = list(checks.runs.values())
    assert [run.body["conclusion"] for run in runs] == recording.conclusions
    assert all(run.annotations == [] for run in runs)
    assert scene.cluster.annotated == {}


@EACH
async def test_only_the_last_state_matters(store: Database, recording: Recording) -> None:
    """The first process sees the beginning, or all but the deletion; the next one lists what is there at the end."""
    last = len(recording.events) - 1
    seen = last - 1 if recording.object_at(last) is None else 0
    async with scene_of(store, recording, QUICKLY) as (scene, checks):
        async with process(scene) as server:
            await play(scene, server, 0, seen)
        async with process(scene) as server:
            await play(scene, server, last, last)
        runs = list(checks.runs.values())
    assert [run.body["conclusion"] for run in runs] == recording.conclusions[-1:]
    assert len(runs[0].annotations) == LINES_A_POD * len(recording.pods_with_logs)


async def cut_everywhere(store: Database, recording: Recording, step: timedelta) -> None:
    """Cut the stream after each event; a list with the object as it is then takes it up, here and in a new process."""
    wanted = await undisturbed(store, recording, step)
    last = len(recording.events) - 1
    for cut in range(last + 1):
        for anew in (False, True):
            async with scene_of(store, recording, step) as (scene, checks):
                async with process(scene) as server:
                    await play(scene, server, 0, cut)
                    if not anew:
                        await play(scene, server, cut, last)
                if anew:
                    async with process(scene) as server:
                        await play(scene, server, cut, last)
                assert_same(list(checks.runs.values()), wanted)


def assert_same(runs: list[Run], wanted: list[Run]) -> None:
    """Nothing is written that would not have been written anyway."""
    assert [run.body for run in runs] == [run.body for run in wanted]
    assert [run.annotations for run in runs] == [run.annotations for run in wanted]
    assert [run.writes for run in runs] == [run.writes for run in wanted]


@pytest.mark.parametrize("recording", TELLING, ids=lambda recording: recording.name)
async def test_a_cut_stream_changes_nothing(store: Database, recording: Recording) -> None:
    await cut_everywhere(store, recording, SLOWLY)


@pytest.mark.conformance
@pytest.mark.parametrize("step", [SLOWLY, QUICKLY], ids=["slowly", "quickly"])
@EACH
async def test_no_cut_stream_changes_anything(store: Database, recording: Recording, step: timedelta) -> None:
    await cut_everywhere(store, recording, step)


async def first_calls(store: Database, recording: Recording) -> set[int]:
    """Give the numbers of the calls that are the first one after an event."""
    async with scene_of(store, recording, QUICKLY) as (scene, _), process(scene) as server:
        found = {1}
        for index in range(len(recording.events)):
            await play(scene, server, index, index, listing=index == 0)
            found.add(scene.life.done + 1)
    return found


async def killed_everywhere(store: Database, recording: Recording) -> None:
    """Kill the process after each call of its rooms, or before it; another one takes over.

    Before a call all stands as it did after the call before, unless an event came between them.
    """
    wanted = await undisturbed(store, recording, QUICKLY)
    first = await first_calls(store, recording)
    last = len(recording.events) - 1
    calls, reached = 0, False
    while not reached:
        calls += 1
        for after in (False, True) if calls in first else (True,):
            async with scene_of(store, recording, QUICKLY) as (scene, checks):
                scene.life = Life(calls, after=after)
                async with process(scene) as server:
                    died = await play(scene, server, 0, last)
                reached = not scene.life.over
                scene.life = Life()
                async with process(scene) as server:
                    await play(scene, server, died, last)
                runs = list(checks.runs.values())
                assert_end(recording, runs)
                assert sum(run.writes for run in runs) <= sum(run.writes for run in wanted) + 1
    assert calls > 15
    assert max(first) == calls, "each call was reached"


@pytest.mark.parametrize("start", ["15"])
async def test_a_killed_process_leaves_nothing_undone(store: Database, start: str) -> None:
    await killed_everywhere(store, named(start))


@pytest.mark.conformance
@pytest.mark.parametrize("start", ["02", "04", "11", "14", "27", "33"])
async def test_no_killed_process_leaves_anything_undone(store: Database, start: str) -> None:
    await killed_everywhere(store, named(start))


async def test_a_retry_while_we_are_away_is_reported(store: Database) -> None:
    recording = named("15")
    failed, last = 6, len(recording.events) - 1
    for seen in (2, failed, failed + 1):
        for back in range(seen + 1, last + 1):
            async with scene_of(store, recording, QUICKLY) as (scene, checks):
                async with process(scene) as server:
                    await play(scene, server, 0, seen)
                async with process(scene) as server:
                    await play(scene, server, back, last)
                conclusions = [run.body["conclusion"] for run in checks.runs.values()]
            failure_was_seen = seen >= failed or back <= failed
            assert conclusions == (recording.conclusions if failure_was_seen else ["success"]), (seen, back)
