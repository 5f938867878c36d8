"""What one replica does at a time, kept where all of them look."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from kubeci.store.database import Database
from kubeci.store.now import database_now
from kubeci.store.tables import locks
from kubeci.store.upsert import insert


class SqlLocks:
    """The locks of `kubeci.ports` in a table, held in the name of `holder`, which is another one in each replica.

    Time is the database's, so that the clocks of the replicas do not matter.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    async def take(self, name: str, seconds: float) -> bool:
        """Hold a lock that is free, ran out, or is this holder's own, for so long from now; False: another holds it."""

        def work(connection: Connection) -> bool:
            now = database_now(connection.dialect.name)
            row = {"name": name, "holder": self._holder, "until": now + seconds}
            free = (locks.c.until <= now) | (locks.c.holder == self._holder)
            statement = insert(connection.dialect.name, locks).values(row)
            statement = statement.on_conflict_do_update(index_elements=["name"], set_=row, where=free)
            return connection.execute(statement.returning(locks.c.name)).first() is not None

        return await self._database.run(work)

    async def free(self, name: str) -> None:
        """Give a lock back, unless another has taken it meanwhile."""
        mine = (locks.c.name == name) & (locks.c.holder == self._holder)
        await self._database.run(lambda connection: connection.execute(delete(locks).where(mine)))

    async def forget(self) -> None:
        """Delete what is left of holders that died: locks that ran out."""

        def work(connection: Connection) -> None:
            connection.execute(delete(locks).where(locks.c.until <= database_now(connection.dialect.name)))

        await self._database.run(work)
