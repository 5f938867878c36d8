from __future__ import annotations

from datetime import UTC, datetime

from kubeci.model.event import Delivery
from kubeci.store.database import Database
from kubeci.store.deliveries import IDS_AT_ONCE
from kubeci.store.inbox import SqlInbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_of_many_ids_those_are_told_that_are_there_whatever_became_of_them(stored: Database) -> None:
    inbox = SqlInbox(stored, "ours")
    for name in ("done", "parked", "working", "waiting"):
        await inbox.add(Delivery(name, "push", b"{}", NOW))
    for _ in range(3):
        claimed = await inbox.claim(NOW)
        assert claimed
        if claimed.id == "done":
            await inbox.done(claimed.id, "built")
        elif claimed.id == "parked":
            await inbox.park(claimed.id, "failed")
    many = [f"unknown-{number}" for number in range(IDS_AT_ONCE + 1)]
    assert await inbox.known(["done", *many, "waiting", "parked", "done", "working"]) == {
        "done",
        "parked",
        "working",
        "waiting",
    }
    assert await inbox.known([]) == frozenset()
