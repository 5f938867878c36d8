"""What is not done is counted out of the store; what is wanted anew is; and what is new may be taken first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubeci.model.event import Delivery
from kubeci.model.inbox import DEFERRED, LIMITED, WAITS, Backlog, Wanted
from kubeci.store.database import Database
from kubeci.store.inbox import SqlInbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
DAY = timedelta(days=1)


async def put_back(inbox: SqlInbox, name: str, reason: str, due: datetime = LATER) -> None:
    await inbox.add(Delivery(name, "push", b"{}", NOW))
    claimed = await inbox.claim(NOW, LATER)
    assert claimed
    assert claimed.id == name
    await inbox.retry(name, reason, due, counted=False)
    inbox.let_go(name)


async def test_every_replica_counts_what_waits_is_put_off_or_was_set_aside(stored: Database) -> None:
    ours, theirs = SqlInbox(stored, "ours"), SqlInbox(stored, "theirs")
    assert await ours.backlog() == Backlog()
    await put_back(ours, "a", f"{WAITS}the namespace is missing")
    await put_back(theirs, "b", f"{DEFERRED}UpstreamError: 502")
    await put_back(ours, "c", f"{LIMITED}GitHub asked to wait")
    await put_back(ours, "d", "UpstreamError: 502")
    await ours.add(Delivery("e", "push", b"{}", NOW))
    assert await ours.backlog() == await theirs.backlog() == Backlog(waiting=1, deferred=2)
    for _ in range(5):  # what is tried at the moment counts, too
        assert await theirs.claim(LATER, LATER + DAY)
    assert await ours.backlog() == Backlog(waiting=1, deferred=2)
    for name in ("a", "c"):
        await theirs.done(name, "waits: no more")
    await theirs.park("b", "deferred: no more")
    assert await ours.backlog() == await theirs.backlog() == Backlog(parked=1)
    assert await ours.replay("b", LATER)
    assert (await ours.backlog()).parked == 0


async def test_it_is_known_since_when_a_delivery_is_wanted(stored: Database) -> None:
    inbox = SqlInbox(stored)
    await inbox.add(Delivery("a", "push", b"{}", NOW))
    assert not await inbox.add(Delivery("a", "push", b"{}", LATER)), "it waits already"
    for wanted_at, again in ((NOW, LATER), (LATER, LATER + DAY), (LATER + DAY, None)):
        claimed = await inbox.claim(LATER + DAY)
        assert claimed
        assert (claimed.received_at, claimed.wanted_at) == (NOW, wanted_at)
        if again == LATER:
            await inbox.park("a", "no")
            inbox.let_go("a")
            assert await inbox.add(Delivery("a", "push", b"{}", again))
        elif again:
            await inbox.done("a", "built")
            inbox.let_go("a")
            assert await inbox.replay("a", again)
    await inbox.done("a", "built")
    assert await inbox.forget(LATER + DAY) == 0, "what came of it is still to be seen"
    assert await inbox.forget(LATER + 2 * DAY) == 1


@pytest.mark.parametrize(("new_first", "first"), [(True, ["b", "a"]), (False, ["a", "b"])])
async def test_what_is_new_may_go_first(stored: Database, *, new_first: bool, first: list[str]) -> None:
    inbox = SqlInbox(stored)
    await put_back(inbox, "a", f"{DEFERRED}UpstreamError: 502", NOW)
    await inbox.add(Delivery("b", "push", b"{}", LATER))
    await inbox.add(Delivery("not yet", "push", b"{}", LATER + DAY))
    claimed = [await inbox.claim(LATER, LATER + DAY, Wanted(new_first=new_first)) for _ in range(3)]
    assert [each.id if each else "" for each in claimed] == [*first, ""]
