"""The connection to the database, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kubeci.errors import ConfigurationError, Invalid, UpstreamError
from kubeci.store.engine import Backend, backend
from kubeci.store.migrate import bring_up_to_date, refuse_others

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
_AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)


class _Away(UpstreamError):
    """The database did not do it; `undone`: it surely did nothing, so that the same may be asked again."""

    def __init__(self, message: str, *, undone: bool) -> None:
        super().__init__(message, retryable=True, public="the database of the server fails")
        self.undone = undone


class Database:
    """Runs transactions in threads of their own, so that the event loop never waits for a disk or another machine."""

    def __init__(self, used: Backend, executor: ThreadPoolExecutor) -> None:
        self._backend = used
        self._executor = executor

    @property
    def shared(self) -> bool:
        """Say whether other replicas may use the same database."""
        return self._backend.shared

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and give its result; an exception rolls back.

        Where the database goes away before the end of it, it is run again for some seconds: a restart of PostgreSQL is
        waited for. Raises `UpstreamError` that is retryable after that, `Invalid` for a value that the database refuses.
        """
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + self._backend.patience_seconds, FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self.run_once(work)
            except _Away as error:
                if not error.undone or loop.time() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def run_once(self, work: Callable[[Connection], T]) -> T:
        """Do the same without patience."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._transaction, work)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        undone = True
        try:
            with self._backend.engine.connect() as connection:
                result = work(connection)
                undone = False  # if the answer to the commit is lost, nobody knows
                connection.commit()
        except DataError as error:
            raise Invalid(f"the store refuses a value: {_cause(error)}", status=422) from error
        except _AWAY as error:
            raise _Away(f"the store {self._backend.place} fails: {_cause(error)}", undone=undone) from error
        return result


def _cause(error: BaseException) -> str:
    """Give the driver's own words in one line: SQLAlchemy's would hold the statement."""
    words = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(words).split())


@asynccontextmanager
async def existing_database(url: str) -> AsyncIterator[Database]:
    """Open a database that a server uses or has used, and make or change no table of it.

    Raises `ConfigurationError` where there is none, or it is of another version.
    """
    used = backend(url)
    name = used.engine.url.database
    wrong = "" if used.shared else await asyncio.to_thread(_no_file, name or "")
    if wrong:
        raise ConfigurationError(f"--store {url}: {wrong}; name the server's store, as it was started with")
    async with database(url, prepare=refuse_others) as opened:
        yield opened


def _no_file(name: str) -> str:
    """Say why there is no store at a path; empty: there is a file."""
    if Path(name).is_dir():
        return "that is a folder"
    return "" if Path(name).is_file() else "there is no such file"


@asynccontextmanager
async def database(
    url: str, *, prepare: Callable[[Connection], None] = bring_up_to_date
) -> AsyncIterator[Database]:
    """Open the database at `url` (see `backend`), and bring its tables to those of this version.

    Raises `ConfigurationError` where it cannot be opened, or is of another version.
    """
    used = backend(url)
    executor = ThreadPoolExecutor(max_workers=used.connections, thread_name_prefix="store")
    try:
        opened = Database(used, executor)
        try:
            await opened.run_once(prepare)
        except (UpstreamError, DatabaseError) as error:
            cause = error.__cause__ if isinstance(error, UpstreamError) else error
            raise ConfigurationError(
                f"the store {used.place} cannot be opened: {_cause(cause or error)}"
            ) from error
        yield opened
    finally:
        if not used.shared:  # SQLite's connection is closed by the thread that made it
            await asyncio.get_running_loop().run_in_executor(executor, used.engine.dispose)
        await asyncio.to_thread(executor.shutdown)
        await asyncio.to_thread(used.engine.dispose)
