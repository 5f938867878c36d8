"""What is set up for a connection to SQLite or to PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event

from kubeci.errors import ConfigurationError

POSTGRES_CONNECTIONS = 8
POSTGRES_PATIENCE_SECONDS = 5.0  # GitHub waits ten seconds for a webhook's answer

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}

# libpq's parameters; the address may say otherwise. A host that fell silent is noticed within 20 seconds.
_POSTGRES_PARAMETERS = {
    "application_name": "kubeci",
    "connect_timeout": "4",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
_POSTGRES_LIMITS = (
    "SET statement_timeout = '15s'",
    "SET lock_timeout = '10s'",
    "SET idle_in_transaction_session_timeout = '30s'",
)


@dataclass(frozen=True, slots=True)
class Backend:
    """An engine, and how it wants to be used."""

    engine: Engine
    place: str
    """Where the database is, without user and password: for messages."""
    shared: bool
    """Several replicas may use it at once."""
    connections: int
    """Threads that use it at once."""
    patience_seconds: float
    """How long a transaction that came to nothing is tried again."""


def is_shared(address: str) -> bool:
    """Say whether several replicas may use the database at `address`; what is no address is nobody's."""
    return _DRIVERS.get(address.partition(":")[0], "sqlite") != "sqlite"


def backend(address: str) -> Backend:
    """Set up the engine of `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`; nothing is opened yet.

    What follows a `?` of PostgreSQL's goes to libpq: `sslmode`, `sslrootcert`, `host` for several ones. Raises
    `ConfigurationError`, without the password.
    """
    scheme = address.partition(":")[0]
    if scheme not in _DRIVERS:
        raise ConfigurationError(f"--store {scheme}: only sqlite:///PATH and postgresql://… are known")
    try:
        url = sqlalchemy.make_url(address).set(drivername=_DRIVERS[scheme])
    except (sqlalchemy.exc.ArgumentError, ValueError):
        # The cause is not told: it may hold a part of the password.
        raise ConfigurationError(
            f"--store {scheme}:…: not an address of a database; in a user's name or password, :/?#[]@% are written %XX"
        ) from None
    return _sqlite(url) if scheme == "sqlite" else _postgresql(url)


def _sqlite(url: URL) -> Backend:
    engine = sqlalchemy.create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    # One thread: SQLite has one writer, a second would only wait for its lock. That wait is its `busy_timeout`.
    return Backend(engine, url.database or "in memory", shared=False, connections=1, patience_seconds=0.0)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    # FULL: a delivery that was answered 202 survives a power cut, not only a crash.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads before it writes would fail where another process wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Backend:
    parameters = {key: value for key, value in _POSTGRES_PARAMETERS.items() if key not in url.query}
    engine = sqlalchemy.create_engine(
        url,
        connect_args=parameters,
        pool_size=POSTGRES_CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    host = url.host or url.query.get("host") or "this machine"
    place = f"{host if isinstance(host, str) else ', '.join(host)}/{url.database or ''}"
    return Backend(
        engine,
        place,
        shared=True,
        connections=POSTGRES_CONNECTIONS,
        patience_seconds=POSTGRES_PATIENCE_SECONDS,
    )


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # Not libpq's `options`, which poolers in between refuse.
    for setting in _POSTGRES_LIMITS:
        connection.execute(setting)
    connection.commit()
