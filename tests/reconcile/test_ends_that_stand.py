"""What GitHub shows of a build stands, whoever was killed before it was written down."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from replay_kit import ARGO_UI, Life
from retries_kit import ENDS, FIRST, RUNNING, lived, scene

from kubeci.model.build import BuildState
from kubeci.model.check_run import Conclusion
from kubeci.report.check_run import setup
from kubeci.service.check_runs import CheckRuns
from kubeci.service.subject import subject_of
from kubeci.store.database import Database, database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store() -> AsyncIterator[Database]:
    async with database("sqlite://") as opened:
        yield opened


async def test_a_success_stands_when_its_workflow_is_gone_before_the_next_leader_looks(
    store: Database,
) -> None:
    calls, kept, died = 0, 0, True
    while died:
        calls += 1
        each = await scene(store)
        await each.look(RUNNING)
        died = await each.look(ENDS["success"], calls=calls)
        outcome = await each.builds.outcome("b")
        if each.shown() == ["success"] and outcome.check and outcome.check.conclusion:
            kept += 1
            await each.look(None)
            assert (calls, each.shown()) == (calls, ["success"])
            assert (await each.build()).conclusion == Conclusion.SUCCESS
    assert kept > 1


async def test_a_lost_build_that_is_begun_again_has_the_newest_check_run(store: Database) -> None:
    calls, died = 0, True
    while died:
        calls += 1
        each = await scene(store)
        await each.builds.change("b", state=BuildState.LOST, conclusion=Conclusion.FAILURE.value)
        build = await each.build()
        life = Life(calls)
        check = setup(subject_of(build, ARGO_UI))
        died = await lived(CheckRuns(each.rooms(life)).begin(build, check), life)
        again = await CheckRuns(each.rooms()).begin(await each.build(), check)
        assert (calls, again.check_run_id, again.state) == (calls, FIRST + 1, BuildState.SUBMITTING)
        assert list(each.checks.runs) == [FIRST, FIRST + 1]
    assert calls > 3
