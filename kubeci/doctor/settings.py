"""Are the options and the settings file as the server takes them, and can the store be written?"""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy
from sqlalchemy import text

from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import Subject
from kubeci.errors import ConfigurationError
from kubeci.store.engine import Backend, backend

LEAST_BYTES = 50_000_000
FEW_BYTES = 1_000_000_000
LOCK_SECONDS = 3.0  # the server holds the lock for milliseconds
_STORE_WHY = "a webhook is stored before it is answered: without the store none is taken"


async def settings(subject: Subject) -> Sequence[Finding]:
    """Tell what the reading of options and files gave."""
    found = [_problem(text) for text in subject.problems]
    found += [
        Finding(
            Group.SETTINGS,
            "settings file",
            State.WARNING,
            text,
            "the server runs, without what this line was meant to say",
            "correct the key; docs/settings.md names them all",
        )
        for text in subject.warnings
    ]
    if not found:
        found = [Finding(Group.SETTINGS, "options and files", State.OK, "read as the server reads them")]
    return found


def _problem(text: str) -> Finding:
    option = re.match(r"--([a-z.-]+)", text)
    name = option[0] if option else "settings file"
    return Finding(
        Group.SETTINGS,
        name,
        State.WRONG,
        text.removeprefix(name).lstrip(": "),
        "the server refuses to start with this",
        _REMEDIES.get(option[1] if option else "", "docs/settings.md tells what may stand there"),
    )


_REMEDIES = {
    "keyfile": "generate a private key on the App's settings page, and name its file with --keyfile; `kubeci create-app` makes App and key",
    "secretfile": "write the secret of the App's webhook into a file, and name it with --secretfile",
    "github.appid": "the id stands on the App's settings page, under About; `kubeci create-app` makes an App",
}


async def store(subject: Subject) -> Sequence[Finding]:
    """Try to write the store: with a lock that is given back at once, or a file that goes again."""
    return [await asyncio.to_thread(_store, subject.options.store_url)]


def _store(url: str) -> Finding:
    try:
        known = backend(url)
    except ConfigurationError as error:
        return _store_wrong(str(error), "")
    try:
        return _shared_store(known) if known.shared else _file_store(known.engine.url.database or "")
    finally:
        known.engine.dispose()


def _shared_store(known: Backend) -> Finding:
    """Ask PostgreSQL, which the server brings its tables to by itself."""
    try:
        with known.engine.connect() as connection:
            version = str(connection.execute(text("SHOW server_version")).scalar())
    except sqlalchemy.exc.SQLAlchemyError as error:
        # Of the driver's words the first line: they name host, user and database, and never the password.
        cause = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]
        return _store_wrong(f"PostgreSQL at {known.place} cannot be used: {cause}", "")
    return Finding(Group.SETTINGS, "store", State.OK, f"PostgreSQL {version} at {known.place}")


def _file_store(name: str) -> Finding:
    if not name:
        return _store_wrong("a database in memory forgets what it took", "")
    path = Path(name).absolute()
    folder = path.parent
    if not folder.is_dir():
        return _store_wrong(f"the folder {folder} is not there", f"mkdir --parents {folder}")
    if problem := _unwritable(path):
        return _store_wrong(problem, f"ls -ld {folder} {path}; df --human-readable {folder}")
    free = shutil.disk_usage(folder).free
    if free < FEW_BYTES:
        state = State.WRONG if free < LEAST_BYTES else State.WARNING
        told = f"{path}: {free // 1_000_000} MB of room are left"
        command = f"df --human-readable {folder}"
        return Finding(Group.SETTINGS, "store", state, told, _STORE_WHY, "make room on that disk", command)
    there = "can be written" if path.exists() else "is not there yet and can be made"
    return Finding(Group.SETTINGS, "store", State.OK, f"{path} {there}; {free // 1_000_000_000} GB of room")


def _store_wrong(found: str, command: str) -> Finding:
    remedy = (
        "name a file with --store (sqlite:////data/kubeci.db) in a folder that the server may write, or a PostgreSQL"
        " database that it may connect to (postgresql://…)"
    )
    return Finding(Group.SETTINGS, "store", State.WRONG, found, _STORE_WHY, remedy, command)


def _unwritable(path: Path) -> str:
    """Say why a database cannot be written; empty: it can."""
    try:
        if not path.exists():
            with tempfile.TemporaryFile(dir=path.parent):
                return ""
        # Neither is anything written here nor a table made: the server does that, which may be running.
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)) as opened:
            opened.execute("BEGIN IMMEDIATE")
            opened.execute("SELECT count(*) FROM sqlite_master")
            opened.execute("ROLLBACK")
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return f"{path} cannot be written: {reason}"
    return ""
