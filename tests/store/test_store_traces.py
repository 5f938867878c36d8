"""Traces, deliveries that are only noted, and what operators look up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, inspect

from kubeci.errors import ConfigurationError
from kubeci.model.build import Build
from kubeci.model.event import Delivery
from kubeci.model.inbox import DeliveryState
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.trace import Step, StepKind, Trace
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import Database, database, existing_database
from kubeci.store.inbox import SqlInbox
from kubeci.store.lookups import Sought, SqlLookups
from kubeci.store.traces import KEPT, SqlTraces

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHA = "3f2a1bc" + "0" * 33
STEPS = (Step(StepKind.DECIDED, 0.001, "allowed"), Step(StepKind.CALLED, 0.25, "GitHub POST /graphql \u202e"))


def trace(minute: int, outcome: str = "submitted") -> Trace:
    return Trace(NOW + minute * MINUTE, "pod/1", STEPS, outcome, dropped=3)


def delivery(name: str, *, minute: int = 0, repository: str = "Octo/Widgets", sha: str = SHA) -> Delivery:
    received = NOW + minute * MINUTE
    return Delivery(name, "push", b'{"a":1}', received, repository=repository, sha=sha)


def build(name: str, *, sha: str = SHA, of: str = "", minute: int = 0, owner: str = "octo") -> Build:
    commit = Commit(Repository(owner, "Widgets", 1), sha)
    made = NOW + minute * MINUTE
    return Build(name, commit, Ref("main"), "ci", "Workflow - ci", "argo", name, made, delivery_id=of)


async def test_attempts_are_read_in_their_order(stored: Database) -> None:
    traces = SqlTraces(stored)
    for minute in (2, 1):
        await traces.save("one", trace(minute))
    await traces.save("other", trace(0))
    assert await traces.of("one") == [trace(1), trace(2)]
    await traces.save("one", trace(2, "failed"))
    assert (await traces.of("one"))[-1] == trace(2, "failed")
    assert await traces.of("none") == []


async def test_the_last_attempts_of_many_are_kept(stored: Database) -> None:
    traces = SqlTraces(stored)
    for minute in range(KEPT + 5):
        await traces.save("one", trace(minute))
    assert await traces.of("one") == [trace(minute) for minute in range(5, KEPT + 5)]


async def test_what_is_forgotten_takes_its_traces_along(stored: Database) -> None:
    inbox, traces = SqlInbox(stored), SqlTraces(stored)
    await inbox.note(delivery("noted"), "nothing is due")
    for name, minute in (("done", 0), ("parked", 0), ("new", 10)):
        await inbox.add(delivery(name, minute=minute))
        await traces.save(name, trace(minute))
    for _ in ("done", "parked"):
        assert await inbox.claim(NOW)
    await inbox.park("parked", "no")
    for name in ("done", "new"):
        await inbox.done(name, "built")
    assert await inbox.forget(NOW + MINUTE) == 2
    assert {each.id for each in await inbox.deliveries()} == {"parked", "new"}
    assert [bool(await traces.of(name)) for name in ("done", "parked", "new")] == [False, True, True]


async def test_what_is_noted_is_done_and_changes_nothing_that_is_known(stored: Database) -> None:
    inbox = SqlInbox(stored)
    await inbox.note(delivery("noted"), "only tags are built by it")
    [noted] = await inbox.deliveries()
    assert (noted.state, noted.reason) == (DeliveryState.DONE, "only tags are built by it")
    assert (noted.attempts, noted.repository, noted.sha) == (0, "octo/widgets", SHA)
    assert not await inbox.add(delivery("noted"))
    assert await inbox.claim(NOW + MINUTE) is None
    await inbox.add(delivery("waiting"))
    await inbox.note(delivery("waiting"), "nothing")
    assert await inbox.claim(NOW + MINUTE)
    assert await inbox.replay("noted", NOW)
    claimed = await inbox.claim(NOW + MINUTE)
    assert claimed
    assert claimed.payload == b'{"a":1}'


async def test_deliveries_are_narrowed(stored: Database) -> None:
    inbox, lookups = SqlInbox(stored), SqlLookups(stored)
    for minute, name in enumerate("abc"):
        await inbox.add(delivery(name, minute=minute, repository="x/y" if name == "a" else "Octo/Widgets"))
    await inbox.done("b", "built")

    async def ids(sought: Sought, limit: int = 20) -> str:
        return "".join(each.id for each in await lookups.deliveries(sought, limit=limit))

    assert await ids(Sought()) == "cba"
    assert await ids(Sought(), limit=2) == "cb"
    assert await ids(Sought(repository="OCTO/widgets")) == "cb"
    assert await ids(Sought(state=DeliveryState.DONE)) == "b"
    assert await ids(Sought(since=NOW + MINUTE)) == "cb"
    late = Sought(repository="octo/widgets", since=NOW + 2 * MINUTE, state=DeliveryState.DONE)
    assert await ids(late) == ""


async def test_a_beginning_finds_deliveries_and_builds(stored: Database) -> None:
    inbox, builds, lookups = SqlInbox(stored), SqlBuilds(stored), SqlLookups(stored)
    for name, sha in (("72d3-one", SHA), ("72d4-two", ""), ("other", "9" * 40)):
        await inbox.add(delivery(name, sha=sha))
    await builds.add(build("first", of="72d4-two"))
    await builds.add(build("second", minute=1, owner="fork"))
    await builds.add(build("third", sha="9" * 40, minute=2))

    async def called(beginning: str) -> set[str]:
        return {each.id for each in await lookups.deliveries_called(beginning, limit=9)}

    assert await called("72d3") == {"72d3-one"}
    assert await called("72d") == {"72d3-one", "72d4-two"}
    assert await called("%") == await called("_") == await called("72d3-one-more") == set()
    about = {each.id for each in await lookups.deliveries_about("3f2a", limit=9)}
    assert about == {"72d3-one", "72d4-two"}, "the second names no commit, but its build does"
    assert [each.id for each in await lookups.builds_of("3f2a", limit=9)] == ["first", "second"]
    assert [each.id for each in await lookups.builds_of("3f2a", repository="Octo/widgets", limit=9)] == [
        "first"
    ]
    assert [each.id for each in await lookups.builds_of("3f2a", limit=1)] == ["second"]
    assert [each.id for each in await lookups.builds_asked_for_by(["72d4-two", "x"])] == ["first"]
    assert await lookups.builds_asked_for_by([]) == []
    around = await lookups.builds_around("octo/widgets", SHA, limit=1)
    assert [each.id for each in around] == ["first", "third"], "the commit's, and the newest"
    assert await lookups.logs_kept("first") == 0


async def test_only_a_store_of_this_version_is_looked_into(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no such file|no tables yet"):
        async with existing_database(address):
            pass
    async with database(address) as opened:
        await SqlInbox(opened).add(delivery("one"))
    async with existing_database(address) as opened:
        assert len(await SqlLookups(opened).deliveries(Sought())) == 1


async def test_looking_makes_no_tables(address: str) -> None:
    def nothing(_connection: Connection) -> None:
        """Leave a database that is there without tables."""

    async with database(address, prepare=nothing) as opened:
        pass
    with pytest.raises(ConfigurationError, match="no tables yet"):
        async with existing_database(address):
            pass
    async with database(address, prepare=nothing) as opened:
        assert await opened.run(lambda connection: inspect(connection).get_table_names()) == []
