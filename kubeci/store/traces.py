"""What was done for deliveries, kept as long as they are."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from kubeci.model.trace import Trace
from kubeci.store.database import Database
from kubeci.store.tables import traces
from kubeci.store.upsert import put


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
        await self._database.run(lambda connection: put(connection, traces, row))

    async def of(self, delivery_id: str) -> list[Trace]:
        """Read the traces of a delivery's attempts, oldest first."""
        statement = select(traces.c.body).where(traces.c.delivery_id == delivery_id)
        bodies = await self._database.run(
            lambda connection: connection.execute(statement.order_by(traces.c.began_at)).scalars().all()
        )
        return [msgspec.json.decode(body, type=Trace) for body in bodies]
