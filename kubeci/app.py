"""Put the rooms together: the running server, built from its options and its configuration."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette

from kubeci.assembly.adapters import (
    Patience,
    Surroundings,
    cluster_rooms,
    enter_cluster,
    enter_github,
    github_rooms,
    module_sources,
)
from kubeci.assembly.replicas import Election, exclusive, lead, own_name
from kubeci.assembly.routes import Core, further_routes, webhook_ports
from kubeci.assembly.sweeping import sweep_duties
from kubeci.cluster.feed import ClusterWorkflowFeed
from kubeci.cluster.list_watch import Listeners, Timing
from kubeci.definition.sandbox import Sandbox
from kubeci.definition.zygote_process import Zygotes
from kubeci.errors import UpstreamError
from kubeci.github.events import decode
from kubeci.ports import Builds, Inbox, Locks, WorkflowFeed
from kubeci.redaction import Redaction
from kubeci.service.background import Duty, background
from kubeci.service.backlog import BACKLOG_SECONDS, count_backlog, show_backlog
from kubeci.service.dispatch import Admission, Dispatcher
from kubeci.service.election import Terms
from kubeci.service.follow import follow
from kubeci.service.intake import IDLE_SECONDS, Intake, Schedule
from kubeci.service.lost import LOST_SECONDS, find_lost
from kubeci.service.news import News
from kubeci.service.perform import Performer
from kubeci.service.queue import KeyedQueue, backoff_seconds
from kubeci.service.reconcile import LOOK_AGAIN_SECONDS, Observed, Reconciler, WorkflowKey
from kubeci.service.rooms import Rooms
from kubeci.service.slack import SlackCommands
from kubeci.service.submit import Submitter
from kubeci.service.sweep import SweepPace
from kubeci.service.traced import Recorder, Traced
from kubeci.service.unfollowed import UNFOLLOWED_SECONDS, tell_unfollowed
from kubeci.service.watched import Watched
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.slack.connect import connect as connect_slack
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.store.inbox import SqlInbox
from kubeci.store.locks import SqlLocks
from kubeci.store.marks import SqlMarks
from kubeci.store.traces import SqlTraces
from kubeci.telemetry import Metrics
from kubeci.web.pages.addresses import html_address
from kubeci.web.routes import create_app
from kubeci.workflow.metadata import LABEL_MANAGED_BY

if TYPE_CHECKING:
    from kubeci.slack.client import SlackClient

REPORT_WORKERS = 8
CLEANING_INTERVAL_SECONDS = 3600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the running server waits for what."""

    backoff: Callable[[int], float] = backoff_seconds
    """Seconds before the next try, by the number of failures in a row."""
    idle_seconds: float = IDLE_SECONDS
    """Seconds between two looks for deliveries that another process stored or left behind."""
    look_again_seconds: float = LOOK_AGAIN_SECONDS
    """Seconds between two looks at a workflow that the watch does not bring any more."""
    unfollowed_seconds: float = UNFOLLOWED_SECONDS
    """Seconds after which the check-runs of running builds say that their workflows cannot be followed."""
    lost_seconds: float = LOST_SECONDS
    """Seconds between two looks for builds that nobody will submit any more."""
    backlog_seconds: float = BACKLOG_SECONDS
    """Seconds between two counts of what is not done."""
    push_wait_seconds: float = 5.0
    """Seconds that a push waits for the check suite that GitHub makes of most pushes."""
    terms: Terms = field(default_factory=Terms)
    sweep: SweepPace = field(default_factory=SweepPace)
    watch: Timing = field(default_factory=Timing)
    github: Patience = field(default_factory=Patience)


class Server:
    """A running server: its ASGI application, and whether it is about to end."""

    web: Starlette
    going: bool = False
    """Set before the end: `/status` then says 500, so that nothing new is sent here."""


@asynccontextmanager
async def running(  # noqa: PLR0913 - what the command leaves out, tests say
    options: Options,
    config: Config,
    *,
    trust_env: bool = True,
    clock: Callable[[], datetime] | None = None,
    pace: Pace | None = None,
    replica: str = "",
    zygotes: Zygotes | None = None,
) -> AsyncIterator[Server]:
    """Run everything but the HTTP listener until the block ends.

    `replica` names us in the inbox; those of one process that share a store need different names. `zygotes` are what
    definitions are evaluated by, where that is not for this server alone.
    Raises `ConfigurationError` when the options or the configuration cannot work.
    """
    now, pace, metrics = clock or partial(datetime.now, UTC), pace or Pace(), Metrics()
    around = Surroundings(options, config, pace.github, trust_env=trust_env)
    async with AsyncExitStack() as stack:
        stored = await stack.enter_async_context(database(options.store_url))
        inbox, builds, me = SqlInbox(stored, replica), SqlBuilds(stored), own_name()
        github = await stack.enter_async_context(enter_github(around, metrics))
        cluster = await stack.enter_async_context(enter_cluster(around))
        slack = await _slack(stack, around)
        news = _news(around, slack, pace) if slack else None
        rooms = Rooms(
            github=github_rooms(github, config),
            cluster=await stack.enter_async_context(cluster_rooms(cluster, around)),
            builds=builds,
            sandbox=await stack.enter_async_context(
                Sandbox(sources=module_sources(github, config), zygotes=zygotes)
            ),
            config=config,
            argo_ui=options.argo_ui.rstrip("/"),
            clock=now,
            nonce=partial(secrets.token_hex, 16),
            watched=Watched(metrics, now),
            exclusive=exclusive(stored, me),
            news=news,
        )
        core = _core(rooms, around, inbox, metrics)
        commands = SlackCommands(rooms, core.submitter, slack, core.admission) if slack else None
        recorder = Recorder(SqlTraces(stored), Redaction(options.secrets), replica or me, now)
        intake = Intake(
            inbox,
            Traced(_performer(core, commands).perform, recorder),
            wakes=core.arrived,
            schedule=Schedule(now, pace.backoff, pace.idle_seconds),
        )
        feed = ClusterWorkflowFeed(
            cluster,
            namespace=config.namespace,
            label_selector=f"{LABEL_MANAGED_BY}={config.managed_by}",
            timing=pace.watch,
            told=Listeners(rooms.watched.lost, rooms.watched.stands),
        )
        server = Server()
        webhooks = webhook_ports(core, around, pace.push_wait_seconds)
        server.web = create_app(webhooks, further_routes(core, around), going=lambda: server.going)
        duties: list[Duty] = [
            partial(_follow, rooms, feed, metrics, pace),
            partial(_clean, inbox, builds, SqlLocks(stored, me), now, config),
            partial(find_lost, rooms, inbox, told=metrics.builds_lost.inc, every_seconds=pace.lost_seconds),
            partial(tell_unfollowed, rooms, after_seconds=pace.unfollowed_seconds),
            *sweep_duties(core, github, SqlMarks(stored), pace.sweep),
        ]
        election = Election(stored, cluster, config, pace.terms)
        work = [
            intake.run(),
            show_backlog(inbox, metrics, every_seconds=pace.backlog_seconds),
            lead(duties, election, me, metrics.leader.set),
        ]
        await count_backlog(inbox, metrics)  # a 0 that is none would be an increase later
        stack.push_async_callback(_give_back, inbox)
        await stack.enter_async_context(background([*work, news.run()] if news else work))
        yield server


async def _slack(stack: AsyncExitStack, around: Surroundings) -> SlackClient | None:
    options = around.options
    if not options.slack_token:
        return None
    client = connect_slack(options.slack_token, options.slack_url, trust_env=around.trust_env)
    return await stack.enter_async_context(client)


def _news(around: Surroundings, slack: SlackClient, pace: Pace) -> News:
    github = html_address(around.options.github_url)
    return News(around.config.slack.news, slack, github, backoff=pace.backoff)


def _core(rooms: Rooms, around: Surroundings, inbox: Inbox, metrics: Metrics) -> Core:
    options = around.options
    admission = Admission(options.app_id, options.installations, options.owners)
    return Core(rooms, Submitter(rooms), admission, inbox, asyncio.Event(), metrics)


def _performer(core: Core, slack: SlackCommands | None) -> Performer:
    rooms = core.rooms
    dispatcher = Dispatcher(core.admission, rooms.github.commits, rooms.builds)
    return Performer(rooms, dispatcher, core.submitter, decode=decode, slack=slack)


async def _follow(rooms: Rooms, feed: WorkflowFeed, metrics: Metrics, pace: Pace) -> None:
    """Report workflows until cancelled, with a queue that nothing of an earlier time is left in."""
    queue: KeyedQueue[WorkflowKey, Observed] = KeyedQueue(
        Reconciler(rooms, look_again_seconds=pace.look_again_seconds).reconcile,
        workers=REPORT_WORKERS,
        backoff=pace.backoff,
    )
    metrics.reports_waiting.set_function(lambda: len(queue))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(queue.run())
            group.create_task(follow(feed, rooms.builds, queue))
    finally:
        rooms.watched.rests()
        metrics.reports_waiting.set_function(lambda: 0)


async def _clean(
    inbox: Inbox, builds: Builds, locks: Locks, now: Callable[[], datetime], config: Config
) -> None:
    while True:
        before = now() - timedelta(seconds=config.retention.seconds)
        try:
            await inbox.forget(before)
            await builds.forget(before)
            await locks.forget()
        except UpstreamError as error:
            log.warning("the store fails", error=str(error))
        await asyncio.sleep(CLEANING_INTERVAL_SECONDS)


async def _give_back(inbox: Inbox) -> None:
    """Give back what was being worked on, so that the next process need not wait until our claims have run out."""
    with suppress(UpstreamError):
        await inbox.release(counted=False)
