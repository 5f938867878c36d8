"""Moments that outlive the process."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from kubeci.store.database import Database
from kubeci.store.tables import marks
from kubeci.store.upsert import put


class SqlMarks:
    """The marks of `kubeci.ports` in a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> datetime | None:
        """Read a moment; None: it was never set."""
        statement = select(marks.c.at).where(marks.c.name == name)
        at = await self._database.run(lambda connection: connection.execute(statement).scalar())
        return None if at is None else datetime.fromtimestamp(at, UTC)

    async def set(self, name: str, at: datetime) -> None:
        """Set a moment."""
        row = {"name": name, "at": at.timestamp()}
        await self._database.run(lambda connection: put(connection, marks, row))
