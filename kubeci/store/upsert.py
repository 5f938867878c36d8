"""Insert, or do something else where the row is there: in the dialect of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from kubeci.model.json import JsonObject

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give an `INSERT` that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 20 ms that SQLite does not need

    return postgresql.insert(table)


def put(connection: Connection, table: Table, row: JsonObject) -> None:
    """Write a row, in place of the one with the same primary key."""
    keys = [column.name for column in table.primary_key]
    connection.execute(
        insert(connection, table).values(row).on_conflict_do_update(index_elements=keys, set_=row)
    )
