"""Bring the tables of a database to those that this version of kubeci knows, once, whoever starts first."""

from __future__ import annotations

import structlog
from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

from kubeci.errors import ConfigurationError
from kubeci.store.tables import metadata

REVISIONS = ("0001", "0002", "0003")
"""The revisions in `migrations/versions`, oldest first: known here so that only a migration loads Alembic."""

LOCK = 0x6B7562656369
"""The number of PostgreSQL's advisory lock under which one replica migrates and the others wait: "kubeci"."""

_version = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), primary_key=True, nullable=False)
)

log = structlog.get_logger(__name__)


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables, or change those of an older version; all of it in the transaction of `connection`.

    Raises `ConfigurationError` for a newer version's tables, and for some that are not ours.
    """
    if _noted(connection) == REVISIONS[-1]:
        return
    _wait_for_others(connection)
    found = revision(connection)
    if found is None:
        metadata.create_all(connection)
        _stamp(connection, REVISIONS[-1])
    elif found != REVISIONS[-1]:
        if _noted(connection) is None:
            _stamp(connection, found)
        _upgrade(connection)
        log.info("the store was brought up to date", revision=REVISIONS[-1], former=found)


def refuse_others(connection: Connection) -> None:
    """Look whether the tables are this version's, and change nothing; raises `ConfigurationError` where they are not."""
    found = revision(connection)
    if found is None:
        raise ConfigurationError("the store has no tables yet: `kubeci serve` makes them when it starts")
    if found != REVISIONS[-1]:
        raise ConfigurationError(
            f"the store is of an older version of kubeci (its revision is {found}, this version's is {REVISIONS[-1]}):"
            " `kubeci serve` of this version brings it up to date when it starts"
        )


def revision(connection: Connection) -> str | None:
    """Give the revision of the tables that are there, and change nothing; None: there are no tables yet.

    Raises `ConfigurationError` for a newer version's tables, and for some that are not ours.
    """
    found = _noted(connection) or _revision_by_tables(connection)
    if found is not None and found not in REVISIONS:
        raise ConfigurationError(
            f"the store is of a newer version of kubeci (its revision is {found}, this version knows up to"
            f" {REVISIONS[-1]}): start that version, or restore the backup from before the upgrade"
        )
    return found


def _noted(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def _wait_for_others(connection: Connection) -> None:
    # On SQLite the transaction began as its only writer.
    if connection.dialect.name == "postgresql":
        # Making a large table's index may take its time, and so may the replica that does it now.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _revision_by_tables(connection: Connection) -> str | None:
    """Recognise the tables from before revisions were noted; None: there are no tables yet."""
    look = inspect(connection)
    there = set(look.get_table_names()) & set(metadata.tables)
    if not there:
        return None
    from kubeci.store.migrations.versions import r0001_first_tables as first  # noqa: PLC0415 - loads Alembic

    columns = {name: {column["name"] for column in look.get_columns(name)} for name in there}
    if columns != {name: set(table.columns.keys()) for name, table in first.metadata.tables.items()}:
        raise ConfigurationError(
            f"the store holds tables that this version of kubeci does not know ({', '.join(sorted(there))}):"
            " name another database with --store, or move that one away"
        )
    return first.revision


def _stamp(connection: Connection, revision: str) -> None:
    _version.create(connection, checkfirst=True)
    connection.execute(_version.insert().values(version_num=revision))


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 150 ms that no other start needs to spend
    from alembic.config import Config  # noqa: PLC0415 - likewise

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "kubeci.store:migrations")
    command.upgrade(config, REVISIONS[-1])
