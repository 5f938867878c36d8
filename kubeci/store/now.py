"""The database's time, so that the clocks of replicas do not matter."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Float, literal_column


def database_now(dialect: str) -> ColumnElement[float]:
    """Give the database's time, in seconds since 1970."""
    if dialect == "sqlite":
        return literal_column("((julianday('now') - 2440587.5) * 86400.0)", Float)
    return literal_column("extract(epoch from clock_timestamp())::double precision", Float)
