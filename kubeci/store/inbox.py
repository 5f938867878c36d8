"""Deliveries that wait for their work: stored before they are answered, so that none is lost with the process."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from kubeci.model.event import Delivery
from kubeci.store.database import Database
from kubeci.store.tables import deliveries

WAITING, WORKING, DONE, PARKED = "waiting", "working", "done", "parked"


class SqlInbox:
    """The inbox of `kubeci.ports` in a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, delivery: Delivery) -> bool:
        """Store a delivery; False when its work is done, under way or waiting already.

        A redelivery keeps its id: one whose work was parked is taken up again.
        """
        received = delivery.received_at.timestamp()
        due = received + delivery.wait_seconds
        row = {
            "id": delivery.id,
            "event": delivery.event,
            "payload": delivery.payload,
            "received_at": received,
            "state": WAITING,
            "attempts": 0,
            "due": due,
            "reason": "",
        }

        def work(connection: Connection) -> bool:
            statement = insert(deliveries).values(row)
            statement = statement.on_conflict_do_update(
                index_elements=["id"],
                set_={"state": WAITING, "attempts": 0, "due": due},
                where=deliveries.c.state == PARKED,
            )
            return connection.execute(statement).rowcount > 0

        return await self._database.run(work)

    async def claim(self, now: datetime) -> Delivery | None:
        """Take the delivery that is due the longest and count the attempt."""

        def work(connection: Connection) -> Delivery | None:
            oldest = (
                select(deliveries.c.id)
                .where(deliveries.c.state == WAITING, deliveries.c.due <= now.timestamp())
                .order_by(deliveries.c.due)
                .limit(1)
                .scalar_subquery()
            )
            claimed = connection.execute(
                update(deliveries)
                .where(deliveries.c.id == oldest)
                .values(state=WORKING, attempts=deliveries.c.attempts + 1)
                .returning(deliveries)
            ).first()
            if claimed is None:
                return None
            received = datetime.fromtimestamp(claimed.received_at, UTC)
            return Delivery(claimed.id, claimed.event, claimed.payload, received, claimed.attempts)

        return await self._database.run(work)

    async def next_due(self) -> datetime | None:
        """Say when the next waiting delivery is due; None: nothing waits."""

        def work(connection: Connection) -> datetime | None:
            due = connection.execute(
                select(deliveries.c.due)
                .where(deliveries.c.state == WAITING)
                .order_by(deliveries.c.due)
                .limit(1)
            ).scalar()
            return None if due is None else datetime.fromtimestamp(due, UTC)

        return await self._database.run(work)

    async def done(self, delivery_id: str, reason: str) -> None:
        """Record what came of a delivery."""
        await self._set(delivery_id, DONE, reason)

    async def park(self, delivery_id: str, reason: str) -> None:
        """Set a delivery aside, with the reason, until it is redelivered."""
        await self._set(delivery_id, PARKED, reason)

    async def retry(self, delivery_id: str, reason: str, due: datetime, *, counted: bool = True) -> None:
        """Put a delivery back until `due`; the attempt that was made is forgotten when it is not `counted`."""
        uncounted = {} if counted else {"attempts": deliveries.c.attempts - 1}
        await self._set(delivery_id, WAITING, reason, due=due.timestamp(), **uncounted)

    async def _set(
        self, delivery_id: str, state: str, reason: str, **values: float | ColumnElement[int]
    ) -> None:
        statement = update(deliveries).where(deliveries.c.id == delivery_id)
        await self._database.run(
            lambda connection: connection.execute(statement.values(state=state, reason=reason, **values))
        )

    async def release(self) -> int:
        """Give back what a process that died had claimed; gives the number of deliveries."""
        statement = update(deliveries).where(deliveries.c.state == WORKING).values(state=WAITING)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount)

    async def forget(self, before: datetime) -> int:
        """Delete deliveries that were done with before `before`; gives their number."""
        statement = delete(deliveries).where(
            deliveries.c.state == DONE, deliveries.c.received_at < before.timestamp()
        )
        return await self._database.run(lambda connection: connection.execute(statement).rowcount)
