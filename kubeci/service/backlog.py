"""Show how many deliveries are not done: the store tells what all replicas know together, before and after a restart."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from kubeci.errors import UpstreamError
from kubeci.ports import Inbox
from kubeci.telemetry import Metrics

BACKLOG_SECONDS = 15.0
"""Between two counts."""


async def show_backlog(inbox: Inbox, metrics: Metrics, *, every_seconds: float = BACKLOG_SECONDS) -> None:
    """Count until cancelled.

    Each replica does: where the cluster is away, for which the builds wait, none of them leads.
    """
    while True:
        await count_backlog(inbox, metrics)
        await asyncio.sleep(every_seconds)


async def count_backlog(inbox: Inbox, metrics: Metrics) -> None:
    """Count once; where the store fails, the last figures stay."""
    with suppress(UpstreamError):
        backlog = await inbox.backlog()
        metrics.deliveries_waiting.set(backlog.waiting)
        metrics.deliveries_deferred.set(backlog.deferred)
        metrics.deliveries_parked.set(backlog.parked)
