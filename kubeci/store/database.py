"""The connection to the database, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event

from kubeci.errors import ConfigurationError
from kubeci.store.tables import metadata

T = TypeVar("T")


class Database:
    """Runs transactions in a thread of their own, one at a time, so that the event loop never waits for a disk.

    SQLite has one writer anyway; a second thread would only wait for its lock.
    """

    def __init__(self, engine: Engine, executor: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._executor = executor

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and give its result; an exception rolls back."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._transaction, work)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    """Open the database at `url` (`sqlite:///path`), making its tables where they are missing."""
    if not url.startswith("sqlite:"):
        raise ConfigurationError(f"--store {url.partition(':')[0]}: only sqlite:///PATH is known")
    engine = sqlalchemy.create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
    opened = Database(engine, executor)
    try:
        try:
            await opened.run(metadata.create_all)
        except sqlalchemy.exc.OperationalError as error:
            raise ConfigurationError(f"the store {url} cannot be opened: {error.orig}") from error
        yield opened
    finally:
        await asyncio.get_running_loop().run_in_executor(executor, engine.dispose)
        executor.shutdown()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # FULL: a delivery that was answered 202 survives a power cut, not only a crash.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")
