from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubeci.model.build import Build, BuildState, ManualStep, Plan
from kubeci.model.check_run import Annotation
from kubeci.model.event import Delivery
from kubeci.model.report import NodeLog, Reported
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.trust import What
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import Database, database
from kubeci.store.inbox import SqlInbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def delivery(name: str, *, minute: int = 0) -> Delivery:
    return Delivery(name, "push", b'{"a":1}', NOW + timedelta(minutes=minute))


async def test_deliveries_are_claimed_once_and_oldest_first(stored: Database) -> None:
    inbox = SqlInbox(stored)
    assert await inbox.add(delivery("new", minute=1))
    assert await inbox.add(delivery("old"))
    first = await inbox.claim(LATER)
    assert first == replace(delivery("old"), attempts=1)
    second = await inbox.claim(LATER)
    assert second
    assert second.id == "new"
    assert await inbox.claim(LATER) is None


async def test_a_repeated_delivery_is_taken_up_again_only_when_it_was_parked(stored: Database) -> None:
    inbox = SqlInbox(stored)
    await inbox.add(delivery("a"))
    assert not await inbox.add(delivery("a")), "it waits"
    await inbox.claim(NOW)
    assert not await inbox.add(delivery("a")), "it is under way"
    await inbox.park("a", "GitHub was away")
    inbox.let_go("a")
    assert await inbox.add(delivery("a"))
    again = await inbox.claim(NOW)
    assert again
    assert again.attempts == 1, "the attempts begin anew"
    await inbox.done("a", "built")
    assert not await inbox.add(delivery("a")), "it is done"


async def test_a_retry_waits_until_it_is_due(stored: Database) -> None:
    inbox = SqlInbox(stored)
    await inbox.add(delivery("a"))
    await inbox.claim(NOW)
    await inbox.retry("a", "503", LATER)
    inbox.let_go("a")
    assert await inbox.claim(NOW) is None
    assert await inbox.next_due() == LATER
    again = await inbox.claim(LATER, LATER + timedelta(minutes=1))
    assert again
    assert again.attempts == 2
    assert await inbox.next_due() is None, "what is worked on does not wait"


async def test_what_a_dead_process_had_claimed_is_given_back(address: str) -> None:
    async with database(address) as stored:
        await SqlInbox(stored).add(delivery("a"))
        await SqlInbox(stored).claim(NOW)
    async with database(address) as stored:
        inbox = SqlInbox(stored)
        assert await inbox.claim(NOW) is None
        assert await inbox.release() == 1
        assert await inbox.claim(NOW)


async def test_old_deliveries_that_are_done_are_forgotten(stored: Database) -> None:
    inbox = SqlInbox(stored)
    for name in ("done", "waiting"):
        await inbox.add(delivery(name))
    await inbox.done("done", "built")
    assert await inbox.forget(LATER) == 1
    assert await inbox.claim(LATER) == replace(delivery("waiting"), attempts=1)


def build(name: str, *, minute: int = 0, ref: str = "main") -> Build:
    return Build(
        id=name,
        commit=Commit(Repository("acme", "widgets", 3), "a" * 40),
        ref=Ref(ref, RefType.BRANCH),
        entrypoint="main",
        check_name="Workflow - main",
        namespace="argo",
        workflow_name=f"wf-{name}",
        created_at=NOW + timedelta(minutes=minute),
        warnings=("w",),
        prints=("p1", "p2"),
    )


async def test_a_build_is_read_as_it_was_written_and_added_once(stored: Database) -> None:
    builds = SqlBuilds(stored)
    assert await builds.add(build("a")) == build("a")
    assert await builds.add(replace(build("a"), check_run_id=5)) == build("a"), "the earlier record stands"
    assert await builds.get("a") == build("a")
    assert await builds.get("b") is None


async def test_changes_leave_other_fields_alone(stored: Database) -> None:
    builds = SqlBuilds(stored)
    await builds.add(build("a"))
    await builds.change("a", superseded_by="b")
    changed = await builds.change("a", check_run_id=5, state=BuildState.RUNNING)
    assert changed == replace(build("a"), check_run_id=5, state=BuildState.RUNNING, superseded_by="b")


async def test_builds_are_found_by_workflow_check_run_and_rivalry(stored: Database) -> None:
    builds = SqlBuilds(stored)
    for each in (
        build("new", minute=2),
        build("old", minute=1),
        build("elsewhere", ref="other"),
        build("done"),
    ):
        await builds.add(each)
    await builds.change("done", state=BuildState.FINISHED, check_run_id=7)
    found = await builds.of_workflow("argo", "wf-old")
    assert found == build("old", minute=1)
    assert await builds.of_workflow("other", "wf-old") is None
    by_check_run = await builds.of_check_run(Repository("acme", "widgets", 3), 7)
    assert by_check_run
    assert by_check_run.id == "done"
    assert await builds.of_check_run(Repository("acme", "gadgets", 3), 7) is None
    await builds.change("old", retried_check_run=8, check_run_id=9)
    for number in (8, 9):
        retried = await builds.of_check_run(Repository("acme", "widgets", 3), number)
        assert retried
        assert retried.id == "old"
    await builds.change("elsewhere", check_run_id=8)
    standing = await builds.of_check_run(Repository("acme", "widgets", 3), 8)
    assert standing
    assert standing.id == "elsewhere"
    assert [each.id for each in await builds.unfinished_of(build("new"))] == ["old", "new"]
    assert [each.id for each in await builds.unfinished()] == ["elsewhere", "old", "new"]


async def test_what_was_reported_and_the_logs_are_kept(stored: Database) -> None:
    builds = SqlBuilds(stored)
    assert await builds.reported("a") == Reported()
    told = Reported("d", NOW, 3, 51, completed=True, sending=True)
    await builds.save_reported("a", told)
    assert await builds.reported("a") == told
    remark = Annotation("a.go", 1, "notice", "hm")
    first, second = NodeLog("n1", "t1", (remark,), ("tail",)), NodeLog("n2", "t1", missing="gone")
    await builds.save_log("a", first)
    await builds.save_log("a", second)
    await builds.save_log("a", replace(first, ended_at="t2"))
    kept = await builds.logs("a")
    assert list(kept.values()) == [second, replace(first, ended_at="t2")], (
        "in the order in which they were kept"
    )


async def test_old_finished_builds_go_with_all_that_hangs_on_them(stored: Database) -> None:
    builds = SqlBuilds(stored)
    for name in ("finished", "running"):
        await builds.add(build(name))
        await builds.save_log(name, NodeLog("n"))
        await builds.save_reported(name, Reported("d"))
    await builds.change("finished", state=BuildState.FINISHED)
    assert await builds.forget(LATER) == 1
    assert await builds.get("finished") is None
    assert await builds.logs("finished") == {}
    assert await builds.reported("finished") == Reported()
    assert await builds.logs("running") != {}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"what": What.COMMAND}, True),
        ({"what": What.API}, False),
        ({"what": What.RERUN, "deployment_id": 7}, False),
        ({"state": BuildState.FINISHED, "conclusion": "failure"}, False),
        ({"state": BuildState.FINISHED, "conclusion": "failure", "workflow_uid": "u"}, True),
        ({"state": BuildState.FINISHED, "conclusion": "cancelled"}, True),
    ],
)
async def test_what_ran_something_else_is_no_build_of_the_commit(
    stored: Database, changes: dict[str, Any], counts: bool
) -> None:
    builds = SqlBuilds(stored)
    made = await builds.add(replace(build("a"), **changes))
    assert await builds.is_built(made.commit, made.ref, but="another") is counts


async def test_an_offered_step_is_no_build_of_its_commit_and_nothing_that_runs(stored: Database) -> None:
    builds = SqlBuilds(stored)
    step = ManualStep("publish", essential=True)
    offer = await builds.add(replace(build("a"), state=BuildState.OFFERED, plan=Plan(manual=(step,))))
    assert not await builds.is_built(offer.commit, offer.ref, but="another")
    assert (await builds.unfinished(), await builds.newest()) == ([], [])
    assert [each.plan.manual for each in await builds.all_of_commit(offer.commit)] == [(step,)]
