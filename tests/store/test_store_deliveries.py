from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.dialects import sqlite

from kubeci.model.event import Delivery
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.store.columns import PackedJson, Words
from kubeci.store.database import Database
from kubeci.store.inbox import SqlInbox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
PAYLOAD = json.dumps({"commits": [{"id": "a" * 40}] * 50}).encode()


def delivery(name: str, *, minute: int = 0) -> Delivery:
    return Delivery(name, "push", PAYLOAD, NOW + timedelta(minutes=minute))


async def test_operators_see_what_is_parked_and_why(stored: Database) -> None:
    inbox = SqlInbox(stored, "ours")
    for number, name in enumerate(("parked", "waiting", "parked too")):
        await inbox.add(delivery(name, minute=number - 2))
    for _ in range(3):
        claimed = await inbox.claim(NOW, LATER)
        assert claimed
        if claimed.id == "waiting":
            await inbox.retry(claimed.id, "503", LATER)
        else:
            await inbox.park(claimed.id, f"no key: {claimed.id}")
    parked = await inbox.deliveries(state=DeliveryState.PARKED)
    assert [(each.id, each.reason) for each in parked] == [
        ("parked too", "no key: parked too"),
        ("parked", "no key: parked"),
    ]
    assert parked[0] == DeliveryRecord(
        "parked too",
        "push",
        DeliveryState.PARKED,
        NOW,
        1,
        NOW,
        "no key: parked too",
        "ours",
        parked[0].claimed_until,
    )
    assert [each.id for each in await inbox.deliveries(limit=2)] == ["parked too", "waiting"]


async def test_what_is_done_or_parked_is_replayed_with_its_payload(stored: Database) -> None:
    inbox = SqlInbox(stored)
    for name in ("parked", "done"):
        await inbox.add(delivery(name))
        assert await inbox.claim(NOW)
        assert not await inbox.replay(name, LATER), "it is under way"
        await (inbox.park(name, "no") if name == "parked" else inbox.done(name, "built"))
        inbox.let_go(name)
        ended = replace(delivery(name), attempts=1, reason="no" if name == "parked" else "built")
        assert await inbox.get(name) == ended
        assert await inbox.replay(name, LATER)
        assert not await inbox.replay(name, LATER), "it waits"
        assert await inbox.claim(NOW) is None
        assert await inbox.claim(LATER) == replace(ended, wanted_anew_at=LATER)
        await inbox.done(name, "built")
    assert await inbox.get("unknown") is None
    assert not await inbox.replay("unknown", NOW)


async def test_payloads_are_kept_compressed(stored: Database) -> None:
    await SqlInbox(stored).add(delivery("a"))

    def size(connection: Connection) -> int:
        return int(connection.execute(text("SELECT length(payload) FROM deliveries")).scalar_one())

    assert await stored.run(size) < len(PAYLOAD) / 5


@given((st.none() | st.integers() | st.text() | st.lists(st.text())).map(json.dumps))
def test_every_document_is_read_as_it_was_written_by_any_version(document: str) -> None:
    packed, dialect = PackedJson(), sqlite.dialect()
    raw = document.encode()
    assert packed.process_result_value(packed.process_bind_param(raw, dialect), dialect) == raw
    assert packed.process_result_value(raw, dialect) == raw, "before it was compressed"


@given(st.text(st.characters() | st.sampled_from("\0\ud800\udfff")))
def test_every_text_becomes_one_that_a_database_takes(words: str) -> None:
    stored = Words().process_bind_param(words, sqlite.dialect())
    assert stored is not None
    assert "\0" not in stored
    assert stored.encode().decode() == stored
    assert len(stored) == len(words)


async def test_a_reason_may_hold_anything(stored: Database) -> None:
    inbox = SqlInbox(stored)
    await inbox.add(delivery("a"))
    await inbox.claim(NOW)
    await inbox.park("a", "no \0 \ud800 template")
    [record] = await inbox.deliveries()
    assert record.reason == "no \N{REPLACEMENT CHARACTER} ? template"
