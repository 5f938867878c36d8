"""What operators see of the inbox, and may do again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from kubeci.model.event import Delivery
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.model.json import JsonObject
from kubeci.store.database import Database
from kubeci.store.tables import deliveries

IDS_AT_ONCE = 5_000
"""SQLite takes some 30,000 values in a statement, PostgreSQL twice as many."""
RECORD = [column for column in deliveries.c if column.name != "payload"]
_ENDED = deliveries.c.state.in_((DeliveryState.DONE.value, DeliveryState.PARKED.value))


class SqlDeliveries:
    """The part of the port `Inbox` that is for operators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliveries(
        self, *, state: DeliveryState | None = None, limit: int = 100
    ) -> list[DeliveryRecord]:
        """List deliveries, newest first: all, or those in one state."""
        statement = select(*RECORD).order_by(deliveries.c.received_at.desc(), deliveries.c.id).limit(limit)
        if state is not None:
            statement = statement.where(deliveries.c.state == state.value)
        return await self._database.run(
            lambda connection: [record_of(row) for row in connection.execute(statement)]
        )

    async def get(self, delivery_id: str) -> Delivery | None:
        """Read a delivery with its payload."""
        statement = select(deliveries).where(deliveries.c.id == delivery_id)

        def work(connection: Connection) -> Delivery | None:
            row = connection.execute(statement).first()
            return None if row is None else delivery_of(row)

        return await self._database.run(work)

    async def known(self, delivery_ids: Collection[str]) -> frozenset[str]:
        """Say which of these deliveries are there, whatever became of them."""
        wanted = sorted(set(delivery_ids))
        statements = [
            select(deliveries.c.id).where(deliveries.c.id.in_(some))
            for some in _portions(wanted, IDS_AT_ONCE)
        ]

        def work(connection: Connection) -> frozenset[str]:
            return frozenset(row.id for each in statements for row in connection.execute(each))

        return await self._database.run(work)

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """Let a delivery that is done or parked be worked on anew, its attempts uncounted; False: it is neither."""
        again = anew(now.timestamp(), now.timestamp())
        statement = update(deliveries).where(deliveries.c.id == delivery_id, _ENDED).values(again)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount > 0)


def row_of(delivery: Delivery) -> JsonObject:
    """Give the columns of a delivery that waits for its work."""
    received = delivery.received_at.timestamp()
    return {
        "id": delivery.id,
        "event": delivery.event,
        "payload": delivery.payload,
        "received_at": received,
        "state": DeliveryState.WAITING.value,
        "attempts": 0,
        "due": received + delivery.wait_seconds,
        "reason": "",
        "repository": delivery.repository.lower(),
        "sha": delivery.sha,
    }


def anew(wanted_at: float | ColumnElement[float], due: float | ColumnElement[float]) -> JsonObject:
    """Give what changes in the columns of a delivery whose work is wanted once more."""
    return {"state": DeliveryState.WAITING.value, "attempts": 0, "due": due, "wanted_at": wanted_at}


def _portions(ids: list[str], size: int) -> list[list[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def delivery_of(row: Row[Any]) -> Delivery:
    """Read a delivery out of its columns."""
    return Delivery(
        id=row.id,
        event=row.event,
        payload=row.payload,
        received_at=_time(row.received_at),
        attempts=row.attempts,
        reason=row.reason,
        repository=row.repository,
        sha=row.sha,
        wanted_anew_at=None if row.wanted_at is None else _time(row.wanted_at),
        lost=row.lost,
    )


def record_of(row: Row[Any]) -> DeliveryRecord:
    """Read what the inbox knows of a delivery out of its columns."""
    return DeliveryRecord(
        id=row.id,
        event=row.event,
        state=DeliveryState(row.state),
        received_at=_time(row.received_at),
        attempts=row.attempts,
        due=_time(row.due),
        reason=row.reason,
        claimed_by=row.claimed_by,
        claimed_until=_time(row.claimed_until),
        repository=row.repository,
        sha=row.sha,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
