"""What was done for deliveries, kept as long as they are."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, select

from kubeci.model.trace import Trace
from kubeci.store.database import Database
from kubeci.store.tables import traces
from kubeci.store.upsert import put

KEPT = 20
"""Attempts of a delivery whose traces are kept, the last ones: one that waits is tried for hours."""


class SqlTraces:
    """The traces of `kubeci.ports` in a table; a delivery's go with it (`SqlInbox.forget`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, delivery_id: str, trace: Trace) -> None:
        """Keep the trace of one attempt."""
        row = {
            "delivery_id": delivery_id,
            "began_at": trace.began_at.timestamp(),
            "body": msgspec.json.encode(trace),
        }

        def work(connection: Connection) -> None:
            put(connection, traces, row)
            mine = traces.c.delivery_id == delivery_id
            newest = select(traces.c.began_at).where(mine).order_by(traces.c.began_at.desc())
            oldest_kept = connection.execute(newest.offset(KEPT - 1).limit(1)).scalar()
            if oldest_kept is not None:
                connection.execute(delete(traces).where(mine, traces.c.began_at < oldest_kept))

        await self._database.run(work)

    async def of(self, delivery_id: str) -> list[Trace]:
        """Read the traces of a delivery's attempts, oldest first."""
        statement = select(traces.c.body).where(traces.c.delivery_id == delivery_id)
        bodies = await self._database.run(
            lambda connection: connection.execute(statement.order_by(traces.c.began_at)).scalars().all()
        )
        return [msgspec.json.decode(body, type=Trace) for body in bodies]
