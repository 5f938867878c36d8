"""Deliveries that wait for their work: stored before they are answered, so that none is lost with the process."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.sql.dml import ReturningInsert

from kubeci.model.event import Delivery
from kubeci.model.inbox import ANY, DEFERRED, LIMITED, WAITS, Backlog, DeliveryState, Wanted
from kubeci.model.json import JsonObject
from kubeci.store import claims
from kubeci.store.claims import WAITING, WORKING
from kubeci.store.database import Database
from kubeci.store.deliveries import SqlDeliveries, anew, delivery_of, row_of
from kubeci.store.tables import deliveries, traces
from kubeci.store.upsert import add, insert

UNRENEWED = timedelta(minutes=15)
"""How long a claim holds that named no end."""

_PARKED = deliveries.c.state == DeliveryState.PARKED.value


class SqlInbox(SqlDeliveries):
    """The inbox of `kubeci.ports` in a table."""

    def __init__(self, database: Database, replica: str = "") -> None:
        """Claim in the name of `replica`; those who share a database need different ones. Empty: host and process."""
        super().__init__(database)
        # In a container the process keeps its number: started again, it takes up at once what it held.
        self._replica = replica or f"{socket.gethostname()}/{os.getpid()}"
        self._claims: dict[str, str] = {}
        """What this process works on: the claims, by the deliveries' ids."""

    async def add(self, delivery: Delivery) -> bool:
        """Store a delivery; False when its work is done, under way or waiting already.

        A redelivery keeps its id: one whose work was parked is taken up again, and wanted since then.
        """
        row = row_of(delivery)

        def work(connection: Connection) -> bool:
            return connection.execute(_arrival(connection.dialect.name), row).first() is not None

        return await self._database.run(work)

    async def note(self, delivery: Delivery, reason: str) -> None:
        """Store a delivery that asks nothing of us as done, with the reason; one that is known stays as it is."""
        row = {**row_of(delivery), "state": DeliveryState.DONE.value, "reason": reason}
        await self._database.run(lambda connection: add(connection, deliveries, row))

    async def claim(
        self, now: datetime, until: datetime | None = None, wanted: Wanted = ANY
    ) -> Delivery | None:
        """Take a wanted delivery that is due and count the attempt; after `until` it may be claimed again, but not by us.

        What is left of a claim that ran out comes first, the others as `wanted` says, then those due the longest.
        """
        claim = secrets.token_hex(8)
        ours = {"this_claim": claim, "this_replica": self._replica} | _lasting(now, until or now + UNRENEWED)

        def work(connection: Connection) -> Delivery | None:
            with_ = claims.parameters(now, wanted, tuple(self._claims)) | ours
            claimed = connection.execute(claims.claim(wanted, connection.dialect.name), with_).first()
            return None if claimed is None else delivery_of(claimed)

        claimed = await self._database.run(work)
        if claimed is not None:
            self._claims[claimed.id] = claim
        return claimed

    async def renew(self, delivery_id: str, now: datetime, until: datetime) -> bool:
        """Hold a claim from now until then; False: it ran out and another has taken it, or the delivery is done."""
        mine = self._mine(delivery_id)

        def work(connection: Connection) -> bool:
            end = claims.claimed_until(connection.dialect.name)
            statement = update(deliveries).where(mine).values(claimed_until=end)
            return connection.execute(statement, _lasting(now, until)).rowcount > 0

        return await self._database.run(work)

    def let_go(self, delivery_id: str) -> None:
        """End a claim in this process; in the store it runs out, unless it was ended there."""
        self._claims.pop(delivery_id, None)

    async def suspects(self, now: datetime) -> bool:
        """Say whether something is due whose last attempts ended with their process."""

        def work(connection: Connection) -> bool:
            with_ = claims.parameters(now, Wanted(alone=True), tuple(self._claims))
            return connection.execute(claims.suspect(connection.dialect.name), with_).first() is not None

        return await self._database.run(work)

    async def pending(self, delivery_id: str, repository: str, sha: str) -> bool:
        """Say whether a delivery, or another one about the same commit, waits for its work or is worked on."""
        about = (deliveries.c.repository == repository.lower()) & (deliveries.c.sha == sha)
        look = select(deliveries.c.id).where(
            WAITING | WORKING, (deliveries.c.id == delivery_id) | (about & (deliveries.c.sha != ""))
        )
        return await self._database.run(
            lambda connection: connection.execute(look.limit(1)).first() is not None
        )

    async def next_due(self, wanted: Wanted = ANY) -> datetime | None:
        """Say when the next wanted delivery that waits is due; None: there is none."""
        look, with_ = claims.next_due(wanted), {"commits": [*wanted.commits]}
        due = await self._database.run(lambda connection: connection.execute(look, with_).scalar())
        return None if due is None else datetime.fromtimestamp(due, UTC)

    async def backlog(self) -> Backlog:
        """Count what is not done, by what it waits for."""
        under_way = WAITING | WORKING
        put_off = deliveries.c.reason.startswith(DEFERRED) | deliveries.c.reason.startswith(LIMITED)
        counts = select(
            func.count().filter(under_way & deliveries.c.reason.startswith(WAITS)),
            func.count().filter(under_way & put_off),
            func.count().filter(_PARKED),
        ).where(under_way | _PARKED)
        return await self._database.run(lambda connection: Backlog(*connection.execute(counts).one()))

    async def done(self, delivery_id: str, reason: str) -> None:
        """Record what came of a delivery; it is done even if the claim ran out, unless another works on it by now."""
        free = (deliveries.c.id == delivery_id) & ~WORKING
        statement = update(deliveries).where(free | self._mine(delivery_id))
        values = {"state": DeliveryState.DONE.value, "reason": reason, "lost": 0}
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

    async def _change(self, delivery_id: str, **values: str | float | ColumnElement[int]) -> None:
        """End a claim in order, if it is still ours."""
        statement = update(deliveries).where(self._mine(delivery_id)).values(**values, lost=0)
        await self._database.run(lambda connection: connection.execute(statement))

    def _mine(self, delivery_id: str) -> ColumnElement[bool]:
        """Say that a delivery is worked on under our present claim, not under a later one, be it of this replica."""
        ours = (deliveries.c.claimed_by == self._replica) & (
            deliveries.c.claim == self._claims.get(delivery_id)
        )
        return (deliveries.c.id == delivery_id) & WORKING & ours

    async def release(self, *, counted: bool = True) -> int:
        """Give back what is claimed in our name; in a database that no other replica uses, all that is claimed."""
        self._claims.clear()
        held = WORKING
        if self._database.shared:
            held &= deliveries.c.claimed_by == self._replica
        more = int(counted)
        values = {
            "state": DeliveryState.WAITING.value,
            "attempts": deliveries.c.attempts - 1 + more,
            "lost": deliveries.c.lost + more,
        }
        statement = update(deliveries).where(held).values(values)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount)

    async def forget(self, before: datetime) -> int:
        """Delete deliveries that are done and were wanted before `before`, with their traces; gives their number."""
        wanted_at = func.coalesce(deliveries.c.wanted_at, deliveries.c.received_at)
        old = (deliveries.c.state == DeliveryState.DONE.value) & (wanted_at < before.timestamp())

        def work(connection: Connection) -> int:
            ids = select(deliveries.c.id).where(old)
            connection.execute(delete(traces).where(traces.c.delivery_id.in_(ids)))
            return connection.execute(delete(deliveries).where(old)).rowcount

        return await self._database.run(work)


@cache
def _arrival(dialect: str) -> ReturningInsert[tuple[str]]:
    """Give what stores a delivery, or wants a parked one anew, and returns its id if it did."""
    statement = insert(dialect, deliveries)
    wanted_anew = anew(statement.excluded.received_at, statement.excluded.due)
    statement = statement.on_conflict_do_update(index_elements=["id"], set_=wanted_anew, where=_PARKED)
    return statement.returning(deliveries.c.id)


def _lasting(now: datetime, until: datetime) -> JsonObject:
    return {"now": now.timestamp(), "for_seconds": (until - now) / timedelta(seconds=1)}
