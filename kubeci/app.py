"""Put the rooms together: the running server, built from its options and its configuration."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from starlette.applications import Starlette

from kubeci.assembly import (
    Patience,
    Surroundings,
    cluster_rooms,
    enter_cluster,
    enter_github,
    github_rooms,
    module_sources,
)
from kubeci.cluster.feed import ClusterWorkflowFeed
from kubeci.cluster.list_watch import Timing
from kubeci.definition.sandbox import Sandbox
from kubeci.github.events import decode
from kubeci.github.payload import payload_of
from kubeci.github.signature import verify
from kubeci.ports import Builds, Inbox
from kubeci.service.dispatch import Admission, Dispatcher
from kubeci.service.follow import follow
from kubeci.service.intake import Intake, Schedule
from kubeci.service.perform import Performer
from kubeci.service.queue import KeyedQueue, backoff_seconds
from kubeci.service.reconcile import LOOK_AGAIN_SECONDS, Observed, Reconciler, WorkflowKey
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.store.inbox import SqlInbox
from kubeci.telemetry import Metrics
from kubeci.web.routes import create_app
from kubeci.web.webhooks import WebhookPorts
from kubeci.workflow.metadata import LABEL_MANAGED_BY

REPORT_WORKERS = 8
RETENTION = timedelta(days=30)
"""How long deliveries that are done and builds that are finished are kept."""
CLEANING_INTERVAL_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the running server waits for what."""

    backoff: Callable[[int], float] = backoff_seconds
    """Seconds before the next try, by the number of failures in a row."""
    look_again_seconds: float = LOOK_AGAIN_SECONDS
    """Seconds between two looks at a workflow that the watch does not bring any more."""
    push_wait_seconds: float = 5.0
    """Seconds that a push waits for the check suite that GitHub makes of most pushes."""
    watch: Timing = field(default_factory=Timing)
    github: Patience = field(default_factory=Patience)


class Server:
    """A running server: its ASGI application, and whether it is about to end."""

    web: Starlette
    going: bool = False
    """Set before the end: `/status` then says 500, so that nothing new is sent here."""


@asynccontextmanager
async def running(
    options: Options,
    config: Config,
    *,
    trust_env: bool = True,
    clock: Callable[[], datetime] | None = None,
    pace: Pace | None = None,
) -> AsyncIterator[Server]:
    """Run everything but the HTTP listener until the block ends.

    Raises `ConfigurationError` when the options or the configuration cannot work.
    """
    now = clock or partial(datetime.now, UTC)
    pace = pace or Pace()
    metrics = Metrics()
    surroundings = Surroundings(options, config, pace.github, trust_env=trust_env)
    async with AsyncExitStack() as stack:
        stored = await stack.enter_async_context(database(options.store_url))
        inbox, builds = SqlInbox(stored), SqlBuilds(stored)
        github = await stack.enter_async_context(enter_github(surroundings, metrics))
        cluster = await stack.enter_async_context(enter_cluster(surroundings))
        modules = module_sources(github, config)
        rooms = Rooms(
            github=github_rooms(github, config),
            cluster=await stack.enter_async_context(cluster_rooms(cluster, surroundings)),
            builds=builds,
            sandbox=await stack.enter_async_context(Sandbox(sources=modules)),
            config=config,
            argo_ui=options.argo_ui.rstrip("/"),
            clock=now,
            nonce=partial(secrets.token_hex, 16),
        )
        admission = Admission(options.app_id, options.installations, options.owners)
        dispatcher = Dispatcher(admission, rooms.github.commits, builds)
        performer = Performer(rooms, dispatcher, Submitter(rooms), decode)
        intake = Intake(inbox, performer.perform, schedule=Schedule(now, pace.backoff))
        queue: KeyedQueue[WorkflowKey, Observed] = KeyedQueue(
            Reconciler(rooms, look_again_seconds=pace.look_again_seconds).reconcile,
            workers=REPORT_WORKERS,
            backoff=pace.backoff,
        )
        metrics.reports_waiting.set_function(lambda: len(queue))
        selector = f"{LABEL_MANAGED_BY}={config.managed_by}"
        feed = ClusterWorkflowFeed(
            cluster, namespace=config.namespace, label_selector=selector, timing=pace.watch
        )
        ports = WebhookPorts(
            verify=partial(verify, options.webhook_secret),
            payload_of=payload_of,
            decode=decode,
            inbox=inbox,
            wake=intake.wake,
            clock=now,
            metrics=metrics,
            push_wait_seconds=pace.push_wait_seconds,
        )
        server = Server()
        server.web = create_app(ports, going=lambda: server.going)
        work = (intake.run(), queue.run(), follow(feed, builds, queue), _clean(inbox, builds, now))
        await stack.enter_async_context(_background(work))
        yield server


@asynccontextmanager
async def _background(work: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run coroutines beside the block; they are cancelled at its end, and an error in one ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(coroutine) for coroutine in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _clean(inbox: Inbox, builds: Builds, now: Callable[[], datetime]) -> None:
    while True:
        before = now() - RETENTION
        await inbox.forget(before)
        await builds.forget(before)
        await asyncio.sleep(CLEANING_INTERVAL_SECONDS)
