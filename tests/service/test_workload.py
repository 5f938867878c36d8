"""Which delivery a worker takes next: what is new has workers of its own, and nothing that was put off holds up the rest."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kubeci.errors import Forbidden, Unready
from kubeci.model.event import Delivery
from kubeci.model.inbox import DEFERRED, WAITS
from kubeci.service.exclusive import Busy, Exclusive, Holding
from kubeci.service.gate import Gate
from kubeci.service.intake import Intake, Schedule
from kubeci.service.queue import backoff_seconds
from kubeci.service.workload import OLD_WORKERS, TURNS, Workload
from kubeci.store.database import database
from kubeci.store.inbox import SqlInbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)
AWAY = Unready("the API server answered 500", status=500)
WAITING = Delivery("w", "push", b"{}", NOW, reason=f"{WAITS}away", repository="x/w", sha="1")
DEFERRED_ONE = Delivery("d", "push", b"{}", NOW, reason=f"{DEFERRED}502", repository="x/d", sha="2")
NEW = Delivery("n", "push", b"{}", NOW, repository="x/n", sha="3")


@pytest.mark.parametrize(
    ("in_hand", "tried"),
    [
        ((), True),
        ((NEW, replace(NEW, id="m"), replace(NEW, id="o")), True),
        ((NEW, DEFERRED_ONE), True),
        ((WAITING, DEFERRED_ONE), False),
        ((WAITING, replace(WAITING, id="v")), False),
    ],
)
def test_what_was_put_off_has_two_workers(in_hand: tuple[Delivery, ...], tried: bool) -> None:
    load = Workload()
    for each in in_hand:
        load.began(each)
    wanted = load.wanted(NOW)
    assert (wanted.tried, wanted.waiting) == (tried, True)
    assert wanted.commits == {each.sha for each in in_hand}
    for each in in_hand:
        load.ended(each)
    assert load.wanted(NOW).tried
    assert load.wanted(NOW).new_first is not load.wanted(NOW).new_first


def test_repositories_of_what_was_put_off_take_turns() -> None:
    load = Workload()
    for number in range(TURNS + 2):
        load.began(replace(DEFERRED_ONE, repository=f"x/{number}"))
    load.began(replace(DEFERRED_ONE, repository="x/10"))
    load.began(NEW)
    latest = load.wanted(NOW).latest
    assert (len(latest), latest[0], latest[-2:]) == (TURNS, "x/2", (f"x/{TURNS + 1}", "x/10"))


def test_while_the_cluster_is_away_one_that_waits_is_tried_at_a_time() -> None:
    load = Workload()
    load.began(WAITING)
    load.must_wait(WAITING, AWAY, SOON)
    load.ended(WAITING)
    assert not load.wanted(NOW).waiting
    assert load.wanted(NOW).tried, "what waits for GitHub does not wait for the cluster"
    assert load.soonest(None, NOW) == SOON
    assert load.wanted(SOON).waiting
    load.began(WAITING)
    assert not load.wanted(SOON).waiting
    assert load.soonest(None, SOON) is None
    load.ended(WAITING)


@pytest.mark.parametrize("how", ["succeeded", "refused"])
def test_whatever_shows_that_the_cluster_answers_ends_that(how: str) -> None:
    load = Workload()
    load.began(WAITING)
    load.must_wait(WAITING, AWAY, SOON)
    load.began(NEW)
    if how == "succeeded":
        load.succeeded()
    else:
        load.must_wait(NEW, Forbidden("no", status=403), SOON)
    assert load.wanted(NOW).waiting


def test_what_fails_while_another_succeeds_says_nothing_of_the_cluster() -> None:
    load = Workload()
    load.began(WAITING)
    load.began(NEW)
    load.succeeded()
    load.must_wait(WAITING, AWAY, SOON)
    assert load.wanted(NOW).waiting
    load.began(WAITING)
    load.must_wait(WAITING, AWAY, SOON)
    assert not load.wanted(NOW).waiting


async def test_one_that_the_cluster_always_fails_holds_up_none_that_wait(tmp_path: Path) -> None:
    now, blip, tries = NOW, True, Counter[str]()

    async def perform(delivery: Delivery, **_: bool) -> str:
        tries[delivery.id] += 1
        if delivery.id == "poison" or blip:
            raise AWAY
        return "built"

    async with database(f"sqlite:///{tmp_path / 'kubeci.db'}") as stored, asyncio.timeout(20):
        inbox, wakes = SqlInbox(stored), asyncio.Event()
        await inbox.add(Delivery("poison", "push", b"{}", now))
        schedule = Schedule(lambda: now, backoff_seconds)
        running = asyncio.create_task(Intake(inbox, perform, wakes=wakes, schedule=schedule).run())

        async def until(names: set[str], least: int) -> None:
            nonlocal now
            while any(tries[name] < least for name in names):
                now += timedelta(seconds=1)
                wakes.set()
                await asyncio.sleep(0.002)

        await until({"poison"}, 8)
        innocents = {f"innocent {number}" for number in range(10)}
        for name in innocents:
            await inbox.add(Delivery(name, "push", b"{}", now))
        await until(innocents, 1)
        blip, since = False, now
        await until(innocents, 2)
        assert now - since < timedelta(minutes=3)
        while {each.id for each in await inbox.deliveries() if each.state != "done"} != {"poison"}:
            await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_work_that_github_does_not_answer_leaves_workers_to_others(tmp_path: Path) -> None:
    hanging: set[str] = set()

    async def perform(delivery: Delivery, **_: bool) -> str:
        if delivery.repository == "x/slow":
            hanging.add(delivery.id)
            await asyncio.Event().wait()
        return "built"

    async with database(f"sqlite:///{tmp_path / 'kubeci.db'}") as stored, asyncio.timeout(20):
        inbox, wakes = SqlInbox(stored), asyncio.Event()
        for number in range(20):
            await inbox.add(Delivery(f"slow {number}", "push", b"{}", NOW, repository="x/slow"))
            assert await inbox.claim(NOW)
            await inbox.retry(f"slow {number}", f"{DEFERRED}502", SOON, counted=False)
        schedule = Schedule(lambda: SOON, backoff_seconds)
        running = asyncio.create_task(Intake(SqlInbox(stored), perform, wakes=wakes, schedule=schedule).run())
        while len(hanging) < OLD_WORKERS:
            await asyncio.sleep(0.005)
        for number in range(20):
            await inbox.add(Delivery(f"new {number}", "push", b"{}", NOW, repository="x/other"))
        wakes.set()
        while sum(each.state == "done" for each in await inbox.deliveries()) < 20:
            await asyncio.sleep(0.005)
        assert len(hanging) == OLD_WORKERS
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_who_is_alone_waits_for_those_inside_and_keeps_others_out() -> None:
    gate, seen = Gate(), list[str]()
    inside, leave, stay = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def many(name: str) -> None:
        async with gate.shared():
            seen.append(name)
            inside.set()
            await leave.wait()

    async def alone(seconds: float) -> None:
        async with gate.alone(seconds) as is_alone:
            seen.append("alone" if is_alone else "not alone")
            await stay.wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(many("first"))
        await inside.wait()
        group.create_task(alone(60))
        await asyncio.sleep(0)
        group.create_task(many("second"))
        await asyncio.sleep(0)
        assert seen == ["first"]
        leave.set()
        while len(seen) < 2:
            await asyncio.sleep(0.001)
        assert seen == ["first", "alone"]
        stay.set()
        while len(seen) < 3:
            await asyncio.sleep(0.001)
        stay.clear()
        group.create_task(alone(0.01))
        while len(seen) < 4:
            await asyncio.sleep(0.001)
        await many("fourth")  # it takes too long
        stay.set()
        leave.clear()
        group.create_task(many("fifth"))
        while len(seen) < 6:
            await asyncio.sleep(0.001)
        await alone(0.01)
        leave.set()
    assert seen == ["first", "alone", "second", "alone", "fourth", "fifth", "not alone"]


async def test_the_wait_for_other_work_of_this_process_is_bounded() -> None:
    exclusive, done = Exclusive(None, Holding(wait=0.05)), list[str]()

    async def hold(name: str) -> None:
        async with exclusive.hold("commit x"):
            done.append(name)

    async with asyncio.timeout(10):
        async with exclusive.hold("commit x"):
            for error in await asyncio.gather(
                *(hold(f"{number}") for number in range(3)), return_exceptions=True
            ):
                assert isinstance(error, Busy)
                assert error.retryable
        await hold("after")
    assert done == ["after"]
