"""What the server has written down, read beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from kubeci.store.engine import backend


async def rows(store: str, query: str) -> Sequence[Any]:
    """Read rows; none while the store does not answer."""

    def read() -> Sequence[Any]:
        used = backend(store)
        try:
            with used.engine.connect() as connection:
                return connection.execute(text(query)).fetchall()
        except SQLAlchemyError:
            return ()
        finally:
            used.engine.dispose()

    return await asyncio.to_thread(read)


async def unknown(store: str, guids: set[str]) -> set[str]:
    """Give those of these deliveries that the inbox does not hold."""
    return guids - {row[0] for row in await rows(store, "SELECT id FROM deliveries")} if guids else guids


async def unfinished(store: str) -> Sequence[Any]:
    """Give the deliveries that are not done, each with id, event, sha, state, attempts, reason."""
    query = "SELECT id, event, sha, state, attempts, reason FROM deliveries WHERE state != 'done'"
    return await rows(store, query)
