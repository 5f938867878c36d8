"""Hold what was claimed in the inbox while its work goes on, and end the work where it cannot be held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.ports import Inbox

CLAIM = timedelta(seconds=30)
"""How long a claim holds without renewal: what a replica that died was working on waits so long for another."""


class ClaimLost(UpstreamError):
    """Another may work on the delivery by now: it is for the other one to say what comes of it."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """When a claim is renewed; all in seconds."""

    lasts: float = CLAIM.total_seconds()
    every: float = CLAIM.total_seconds() / 3
    again: float = 2.0
    """After a renewal that the store did not answer."""
    spare: float = 2.0
    """So much before the end of an unrenewed claim the work is cancelled."""


@asynccontextmanager
async def held(
    delivery: Delivery,
    inbox: Inbox,
    clock: Callable[[], datetime],
    asked: float,
    *,
    renewal: Renewal | None = None,
) -> AsyncIterator[None]:
    """Renew the claim of a delivery, which was asked for at this time of the event loop, until the block ends.

    Where the store says that it went to another, or does not say in time that it is still ours, the block is cancelled, and
    a retryable `ClaimLost` is raised.
    """
    renewal = renewal or Renewal()
    try:
        async with asyncio.timeout_at(asked + renewal.lasts - renewal.spare) as left:
            renewing = asyncio.create_task(_renew(delivery, inbox, clock, renewal, left))
            try:
                yield
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
    except TimeoutError as error:
        if not left.expired():
            raise
        raise ClaimLost("another may work on the delivery by now", retryable=True) from error


async def _renew(
    delivery: Delivery, inbox: Inbox, clock: Callable[[], datetime], renewal: Renewal, left: asyncio.Timeout
) -> None:
    loop, pause = asyncio.get_running_loop(), renewal.every
    while True:
        await asyncio.sleep(pause)
        asked, now = loop.time(), clock()
        try:
            ours = await inbox.renew(delivery.id, now, now + timedelta(seconds=renewal.lasts))
        except UpstreamError:
            pause = renewal.again
            continue
        pause = renewal.every
        if not left.expired():
            left.reschedule(asked + renewal.lasts - renewal.spare if ours else asked)
