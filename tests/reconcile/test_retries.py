"""One wish to retry is one more check-run with the second attempt's end, whoever of the two that do it is killed, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from retries_kit import ENDS, FAILED, REFUSED, RUNNING, scene, workflow

from kubeci.model.json import JsonObject
from kubeci.model.report import Budget
from kubeci.service.check_runs import CheckRuns
from kubeci.store.database import Database, database

SECOND = pytest.mark.parametrize("second", ENDS)
FIRST_ENDS = pytest.mark.parametrize("first", [FAILED, REFUSED], ids=["failed", "refused"])
WISHED = {"success": "success", "failure": "failure", "refused": "failure"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store() -> AsyncIterator[Database]:
    async with database("sqlite://") as opened:
        yield opened


@FIRST_ENDS
@SECOND
@pytest.mark.parametrize("seen", [True, False], ids=["seen running", "not seen running"])
async def test_the_leader_is_killed_at_any_call_after_the_first_end_is_shown(
    store: Database, first: JsonObject, second: str, *, seen: bool
) -> None:
    calls, pressed, died = 0, 0, True
    while died:
        calls += 1
        each = await scene(store)
        await each.look(RUNNING)
        died = await each.look(first, calls=calls)
        if each.shown() != ["failure"]:
            continue  # there is no Re-run yet
        pressed += 1
        await each.press("wish")
        if seen:
            await each.look(RUNNING)
        await each.look(ENDS[second])
        await each.look(ENDS[second])
        assert (calls, each.shown()) == (calls, ["failure", WISHED[second]])
    assert pressed > 2


@SECOND
async def test_the_leader_is_killed_at_any_call_while_it_begins_the_second_attempt(
    store: Database, second: str
) -> None:
    calls, died = 0, True
    while died:
        calls += 1
        each = await scene(store)
        await each.look(RUNNING)
        await each.look(FAILED)
        await each.press("wish")
        died = await each.look(RUNNING, calls=calls)
        await each.look(RUNNING)
        await each.look(ENDS[second])
        assert (calls, each.shown()) == (calls, ["failure", WISHED[second]])
    assert calls > 8


@FIRST_ENDS
@SECOND
@pytest.mark.parametrize("looks", [(), (RUNNING,)], ids=["unseen", "seen"])
async def test_who_retries_is_killed_at_any_call_and_tries_again(
    store: Database, first: JsonObject, second: str, looks: tuple[JsonObject, ...]
) -> None:
    calls, died = 0, True
    while died:
        calls += 1
        each = await scene(store)
        await each.look(RUNNING)
        await each.look(first)
        died = await each.press("wish", calls=calls)
        for state in looks if each.cluster.current == RUNNING else ():
            await each.look(state)
        await each.press("wish")
        await each.look(ENDS[second])
        await each.press("wish")
        await each.look(each.cluster.current or {})
        assert (calls, each.shown(), each.anew.asked) == (calls, ["failure", WISHED[second]], [])
    assert calls > 4


async def test_who_cancels_before_the_second_check_run_is_there_is_named_by_it(store: Database) -> None:
    each = await scene(store)
    await each.look(RUNNING)
    await each.look(FAILED)
    await each.press("wish")
    await each.cancel()
    await each.look(workflow("Running", shutdown="Stop"))
    await each.look(workflow("Failed", end=30, shutdown="Stop"))
    assert each.shown() == ["failure", "cancelled"]
    assert "cancelled by octocat" in [*each.checks.runs.values()][-1].body["output"]["summary"]


@SECOND
async def test_a_failure_that_a_newer_build_superseded_while_it_was_told_is_retried(
    store: Database, second: str
) -> None:
    each = await scene(store)
    await each.look(RUNNING)
    each.cluster.meanwhile = each.supersede
    await each.look(FAILED)
    each.cluster.meanwhile = None
    await each.press("wish")
    await each.look(RUNNING)
    await each.look(ENDS[second])
    assert each.shown() == ["failure", WISHED[second]]


async def test_an_attempt_that_is_superseded_before_its_check_run_is_there_has_one_that_says_so(
    store: Database,
) -> None:
    each = await scene(store)
    await each.look(RUNNING)
    await each.look(FAILED)
    await each.press("wish")
    await each.supersede()
    await each.look(workflow("Failed", end=30, shutdown="Stop"))
    assert each.shown() == ["failure", "cancelled"]


@pytest.mark.parametrize("last_attempt", [True, False])
async def test_a_retry_whose_answer_is_lost_is_no_reason_to_build_anew(
    store: Database, *, last_attempt: bool
) -> None:
    each = await scene(store)
    await each.look(RUNNING)
    await each.look(FAILED)
    each.cluster.answers = False
    await each.press("wish", last_attempt=last_attempt)
    await each.look(RUNNING)
    await each.look(ENDS["success"])
    assert (each.shown(), each.anew.asked) == (["failure", "success"], [])


async def test_a_second_press_on_the_first_check_run_leaves_the_second_attempt_alone(store: Database) -> None:
    each = await scene(store)
    await each.look(RUNNING)
    await each.look(FAILED)
    await each.press("wish")
    await each.look(RUNNING)
    await each.press("another")
    await each.look(ENDS["success"])
    assert (each.shown(), each.anew.asked) == (["failure", "success"], [])


async def test_a_remark_before_the_first_progress_tells_nothing_of_the_attempt_before(
    store: Database,
) -> None:
    each = await scene(store)
    await each.look(RUNNING)
    await each.look(FAILED)
    await each.press("wish")
    each.checks.left = Budget(10, 5000, strained_seconds=40.0)
    await each.look(RUNNING)
    await CheckRuns(each.rooms()).remark(await each.build(), "octocat pressed Cancel, and nothing was done")
    assert each.shown() == ["failure", "queued"]
    summary = [*each.checks.runs.values()][-1].body["output"]["summary"]
    assert "nothing was done" in summary
