"""Hold what was claimed in the inbox while its work goes on, so that no other replica takes it up meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.ports import Inbox

CLAIM = timedelta(seconds=30)
"""How long a claim holds without renewal: what a replica that died was working on waits so long for another."""
RENEW_SECONDS = CLAIM.total_seconds() / 3


@asynccontextmanager
async def held(
    delivery: Delivery, inbox: Inbox, clock: Callable[[], datetime], *, renew_seconds: float = RENEW_SECONDS
) -> AsyncIterator[None]:
    """Renew the claim of a delivery until the block ends; a store that fails meanwhile is asked again at the next turn."""
    renewing = asyncio.create_task(_renew(delivery, inbox, clock, renew_seconds))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def _renew(
    delivery: Delivery, inbox: Inbox, clock: Callable[[], datetime], renew_seconds: float
) -> None:
    ours = True
    while ours:
        await asyncio.sleep(renew_seconds)
        with suppress(UpstreamError):
            ours = await inbox.renew(delivery.id, clock() + CLAIM)
