"""Deliveries that wait for their work: stored before they are answered, so that none is lost with the process."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from kubeci.model.event import Delivery
from kubeci.model.inbox import DeliveryState
from kubeci.store.database import Database
from kubeci.store.deliveries import SqlDeliveries, delivery_of, row_of
from kubeci.store.tables import deliveries, traces
from kubeci.store.upsert import insert

UNRENEWED = timedelta(minutes=15)
"""How long a claim holds that named no end."""

_WAITING = deliveries.c.state == DeliveryState.WAITING.value
_WORKING = deliveries.c.state == DeliveryState.WORKING.value


class SqlInbox(SqlDeliveries):
    """The inbox of `kubeci.ports` in a table."""

    def __init__(self, database: Database, replica: str = "") -> None:
        """Claim in the name of `replica`; those who share a database need different ones. Empty: host and process."""
        super().__init__(database)
        # In a container the process keeps its number: started again, it takes up at once what it held.
        self._replica = replica or f"{socket.gethostname()}/{os.getpid()}"

    async def add(self, delivery: Delivery) -> bool:
        """Store a delivery; False when its work is done, under way or waiting already.

        A redelivery keeps its id: one whose work was parked is taken up again.
        """
        row = row_of(delivery)

        def work(connection: Connection) -> bool:
            statement = insert(connection, deliveries).values(row)
            statement = statement.on_conflict_do_update(
                index_elements=["id"],
                set_={"state": DeliveryState.WAITING.value, "attempts": 0, "due": row["due"]},
                where=deliveries.c.state == DeliveryState.PARKED.value,
            )
            return connection.execute(statement.returning(deliveries.c.id)).first() is not None

        return await self._database.run(work)

    async def note(self, delivery: Delivery, reason: str) -> None:
        """Store a delivery that asks nothing of us as done, with the reason; one that is known stays as it is."""
        row = {**row_of(delivery), "state": DeliveryState.DONE.value, "reason": reason}
        await self._database.run(
            lambda connection: connection.execute(
                insert(connection, deliveries).values(row).on_conflict_do_nothing()
            )
        )

    async def claim(self, now: datetime, until: datetime | None = None) -> Delivery | None:
        """Take the delivery that is due the longest and count the attempt; after `until` it may be claimed again.

        What is left of a claim that ran out comes first.
        """
        moment = now.timestamp()
        claimable = (
            (_WORKING & (deliveries.c.claimed_until <= moment), deliveries.c.claimed_until),
            (_WAITING & (deliveries.c.due <= moment), deliveries.c.due),
        )
        taken = {
            "state": DeliveryState.WORKING.value,
            "attempts": deliveries.c.attempts + 1,
            "claimed_by": self._replica,
            "claimed_until": (until or now + UNRENEWED).timestamp(),
        }

        def work(connection: Connection) -> Delivery | None:
            for condition, order in claimable:
                # What another replica takes at this moment is passed over; SQLite has one writer at a time.
                oldest = select(deliveries.c.id).where(condition).order_by(order).limit(1)
                oldest = oldest.with_for_update(skip_locked=True)
                claim = update(deliveries).where(deliveries.c.id == oldest.scalar_subquery()).values(taken)
                claimed = connection.execute(claim.returning(deliveries)).first()
                if claimed is not None:
                    return delivery_of(claimed)
            return None

        return await self._database.run(work)

    async def renew(self, delivery_id: str, until: datetime) -> bool:
        """Hold a claim until then; False when it ran out and another has taken it, or the delivery is done."""
        return await self._change(delivery_id, claimed_until=until.timestamp())

    async def pending(self, delivery_id: str, repository: str, sha: str) -> bool:
        """Say whether a delivery, or another one about the same commit, waits for its work or is worked on."""
        about = (deliveries.c.repository == repository.lower()) & (deliveries.c.sha == sha)
        look = select(deliveries.c.id).where(
            _WAITING | _WORKING, (deliveries.c.id == delivery_id) | (about & (deliveries.c.sha != ""))
        )
        return await self._database.run(
            lambda connection: connection.execute(look.limit(1)).first() is not None
        )

    async def next_due(self) -> datetime | None:
        """Say when the next delivery is due, or the first claim runs out; None: there is neither."""
        looks = (
            select(func.min(deliveries.c.due)).where(_WAITING),
            select(func.min(deliveries.c.claimed_until)).where(_WORKING),
        )

        def work(connection: Connection) -> datetime | None:
            found = [connection.execute(look).scalar() for look in looks]
            due = min((each for each in found if each is not None), default=None)
            return None if due is None else datetime.fromtimestamp(due, UTC)

        return await self._database.run(work)

    async def done(self, delivery_id: str, reason: str) -> None:
        """Record what came of a delivery; it is done even if the claim ran out meanwhile."""
        statement = update(deliveries).where(deliveries.c.id == delivery_id)
        values = {"state": DeliveryState.DONE.value, "reason": reason}
        await self._database.run(lambda connection: connection.execute(statement.values(values)))

    async def park(self, delivery_id: str, reason: str) -> None:
        """Set a delivery aside, with the reason, until it is redelivered or replayed."""
        await self._change(delivery_id, state=DeliveryState.PARKED.value, reason=reason)

    async def retry(self, delivery_id: str, reason: str, due: datetime, *, counted: bool = True) -> None:
        """Put a delivery back until `due`; the attempts that were made are forgotten when it is not `counted`."""
        await self._change(
            delivery_id,
            state=DeliveryState.WAITING.value,
            reason=reason,
            due=due.timestamp(),
            attempts=deliveries.c.attempts if counted else 0,
        )

    async def _change(self, delivery_id: str, **values: str | float | ColumnElement[int]) -> bool:
        """Change a delivery that is claimed in our name; False: it is not."""
        mine = (deliveries.c.id == delivery_id) & _WORKING & (deliveries.c.claimed_by == self._replica)
        statement = update(deliveries).where(mine).values(**values)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount > 0)

    async def release(self, *, counted: bool = True) -> int:
        """Give back what is claimed in our name; in a database that no other replica uses, all that is claimed."""
        held = _WORKING
        if self._database.shared:
            held &= deliveries.c.claimed_by == self._replica
        values = {"state": DeliveryState.WAITING.value, "attempts": _attempts(counted=counted)}
        statement = update(deliveries).where(held).values(values)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount)

    async def forget(self, before: datetime) -> int:
        """Delete deliveries that are done and were received before `before`, with their traces; gives their number."""
        old = (deliveries.c.state == DeliveryState.DONE.value) & (
            deliveries.c.received_at < before.timestamp()
        )

        def work(connection: Connection) -> int:
            ids = select(deliveries.c.id).where(old)
            connection.execute(delete(traces).where(traces.c.delivery_id.in_(ids)))
            return connection.execute(delete(deliveries).where(old)).rowcount

        return await self._database.run(work)


def _attempts(*, counted: bool) -> ColumnElement[int]:
    return deliveries.c.attempts if counted else deliveries.c.attempts - 1
