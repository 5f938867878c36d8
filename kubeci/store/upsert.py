"""Insert, or do something else where the row is there: in the dialect of the database."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from kubeci.model.json import JsonObject

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give an `INSERT` that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 20 ms that SQLite does not need

    return postgresql.insert(table)


def add(connection: Connection, table: Table, row: JsonObject) -> None:
    """Write a row, unless one with the same primary key is there."""
    connection.execute(_add(connection.dialect.name, table), row)


def put(connection: Connection, table: Table, row: JsonObject) -> None:
    """Write a row of all columns, in place of the one with the same primary key."""
    connection.execute(_put(connection.dialect.name, table), row)


@cache
def _add(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return insert(dialect, table).on_conflict_do_nothing()


@cache
def _put(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    statement = insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_=dict(statement.excluded.items()))
