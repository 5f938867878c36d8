"""Can the store be written, and are its tables those that the server takes?"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, text
from sqlalchemy.pool import StaticPool

from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import Subject
from kubeci.errors import ConfigurationError
from kubeci.store.engine import Backend, backend
from kubeci.store.migrate import REVISIONS, revision

LEAST_BYTES = 50_000_000
FEW_BYTES = 1_000_000_000
LOCK_SECONDS = 3.0  # the server holds the lock for milliseconds
READ_SECONDS = 5.0
"""How long a database is read through for damage; what is not read by then is taken for sound."""
_STEPS = 200  # of SQLite's (a page is one), between two looks at the clock
_WHY = "a webhook is stored before it is answered: without the store none is taken"
_REMEDY = (
    "name a file with --store (sqlite:////data/kubeci.db) in a folder that the server may write, or a PostgreSQL"
    " database that it may connect to (postgresql://…)"
)


class _UnusableError(Exception):
    """The store is there, but the server cannot use it; the text says why."""


async def store(subject: Subject) -> Sequence[Finding]:
    """Try to write the store: with a lock that is given back at once, or a file that goes again; read its tables."""
    return [await asyncio.to_thread(_store, subject.options.store_url)]


def _store(url: str) -> Finding:
    try:
        known = backend(url)
    except ConfigurationError as error:
        return _wrong(str(error))
    try:
        return _shared_store(known) if known.shared else _file_store(known.engine.url.database or "")
    except ConfigurationError as error:
        # Its words are those of the server that does not start: what is wrong, then what to do.
        found, _, remedy = str(error).rpartition(": ")
        return _wrong(f"{known.place}: {found}", remedy=remedy)
    finally:
        known.engine.dispose()


def _shared_store(known: Backend) -> Finding:
    """Ask PostgreSQL, whose tables the server makes by itself."""
    try:
        with known.engine.connect() as connection:
            version = str(connection.execute(text("SHOW server_version")).scalar())
            tables = _tables(connection)
    except sqlalchemy.exc.SQLAlchemyError as error:
        return _wrong(f"PostgreSQL at {known.place} cannot be used: {_cause(error)}")
    return Finding(Group.SETTINGS, "store", State.OK, f"PostgreSQL {version} at {known.place}{tables}")


def _cause(error: sqlalchemy.exc.SQLAlchemyError) -> str:
    # Of the driver's words the first line: they name host, user and database, and never the password.
    return str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]


def _tables(connection: Connection) -> str:
    """Say what the server will do to the tables; raises `ConfigurationError` where it would not start."""
    found = revision(connection)
    if found in {None, REVISIONS[-1]}:
        return ""
    return f"; its tables, of revision {found}, are brought to {REVISIONS[-1]} when the server starts"


def _file_store(name: str) -> Finding:
    if not name:
        return _wrong("a database in memory forgets what it took")
    path = Path(name).absolute()
    folder = path.parent
    if not folder.is_dir():
        return _wrong(f"the folder {folder} is not there", f"mkdir --parents {folder}")
    try:
        there = _written_to(path)
    except _UnusableError as error:
        return _wrong(
            f"{path}: {error}",
            remedy="restore the backup (docs/operate.md), or move the file away to begin anew",
        )
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        command = f"ls -ld {folder} {path}; df --human-readable {folder}"
        return _wrong(f"{path} cannot be written: {reason}", command)
    free = shutil.disk_usage(folder).free
    if free < FEW_BYTES:
        state = State.WRONG if free < LEAST_BYTES else State.WARNING
        told = f"{path}: {free // 1_000_000} MB of room are left"
        command = f"df --human-readable {folder}"
        return Finding(Group.SETTINGS, "store", state, told, _WHY, "make room on that disk", command)
    return Finding(Group.SETTINGS, "store", State.OK, f"{path} {there}; {free // 1_000_000_000} GB of room")


def _wrong(found: str, command: str = "", *, remedy: str = _REMEDY) -> Finding:
    return Finding(Group.SETTINGS, "store", State.WRONG, found, _WHY, remedy, command)


def _written_to(path: Path) -> str:
    """Say how a database can be written.

    Raises OSError or `sqlite3.Error` when it cannot, `_UnusableError` for a damaged one, `ConfigurationError` for
    tables that the server does not take.
    """
    if not path.exists():
        with tempfile.TemporaryFile(dir=path.parent):
            return "is not there yet and can be made"
    # Neither is anything written here nor a table made: the server does that, which may be running.
    uri = f"{path.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)) as opened:
        opened.execute("BEGIN IMMEDIATE")
        opened.execute("ROLLBACK")
        if damage := _damage(opened, READ_SECONDS):
            raise _UnusableError(f"the database is damaged: {damage}")
        return f"can be written{_tables_of(opened)}"


def _damage(opened: sqlite3.Connection, seconds: float) -> str:
    """Read a database through; empty: nothing was found. It is read without the lock that writing takes."""
    deadline = time.monotonic() + seconds
    opened.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        [told] = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname == "SQLITE_INTERRUPT":
            return ""
        if not error.sqlite_errorname.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            raise
        return str(error)
    finally:
        opened.set_progress_handler(None, 0)
    return "" if told == "ok" else " ".join(str(told).split())


def _tables_of(opened: sqlite3.Connection) -> str:
    # Not the server's engine, which sets the database up when it connects.
    engine = sqlalchemy.create_engine("sqlite://", creator=lambda: opened, poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            return _tables(connection)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise _UnusableError(f"its tables cannot be read: {_cause(error)}") from error
