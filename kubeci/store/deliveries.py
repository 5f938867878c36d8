"""What operators see of the inbox, and may do again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from kubeci.model.event import Delivery
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.store.database import Database
from kubeci.store.tables import deliveries

_RECORD = [column for column in deliveries.c if column.name != "payload"]
_ENDED = deliveries.c.state.in_((DeliveryState.DONE.value, DeliveryState.PARKED.value))


class SqlDeliveries:
    """The part of the port `Inbox` that is for operators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliveries(
        self, *, state: DeliveryState | None = None, limit: int = 100
    ) -> list[DeliveryRecord]:
        """List deliveries, newest first: all, or those in one state."""
        statement = select(*_RECORD).order_by(deliveries.c.received_at.desc(), deliveries.c.id).limit(limit)
        if state is not None:
            statement = statement.where(deliveries.c.state == state.value)
        return await self._database.run(
            lambda connection: [_record_of(row) for row in connection.execute(statement)]
        )

    async def get(self, delivery_id: str) -> Delivery | None:
        """Read a delivery with its payload."""
        statement = select(deliveries).where(deliveries.c.id == delivery_id)

        def work(connection: Connection) -> Delivery | None:
            row = connection.execute(statement).first()
            return None if row is None else delivery_of(row)

        return await self._database.run(work)

    async def replay(self, delivery_id: str, now: datetime) -> bool:
        """Let a delivery that is done or parked be worked on anew, its attempts uncounted; False: it is neither."""
        again = {"state": DeliveryState.WAITING.value, "attempts": 0, "due": now.timestamp()}
        statement = update(deliveries).where(deliveries.c.id == delivery_id, _ENDED).values(again)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount > 0)


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
    )


def _record_of(row: Row[Any]) -> DeliveryRecord:
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
