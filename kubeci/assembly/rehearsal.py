"""Do a delivery's work with real reads and no write anywhere, to see what it comes to."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kubeci.assembly.adapters import (
    Surroundings,
    cluster_rooms,
    enter_cluster,
    enter_github,
    github_rooms,
    module_sources,
)
from kubeci.assembly.stand_ins import Manifests, dry_cluster, dry_github
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import KubeCIError
from kubeci.github.events import decode
from kubeci.model.build import Build
from kubeci.model.event import Delivery
from kubeci.model.json import JsonObject
from kubeci.model.report import Outcome, Reported
from kubeci.model.trace import Step
from kubeci.redaction import Redaction
from kubeci.service.dispatch import Admission, Dispatcher
from kubeci.service.perform import Performer
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.telemetry import Metrics
from kubeci.tracing import recording


@dataclass(frozen=True, slots=True)
class Known:
    """A build that the server knows, and what is remembered of it."""

    build: Build
    outcome: Outcome
    reported: Reported


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a delivery's work comes to: its steps, the workflows that would be created, and the outcome.

    `failed`: the outcome is why it would fail.
    """

    steps: tuple[Step, ...]
    workflows: tuple[JsonObject, ...]
    outcome: str
    failed: bool


async def rehearse(delivery: Delivery, known: Iterable[Known], around: Surroundings) -> Rehearsed:
    """Go through a delivery's work as the server would that knows these builds; nothing is written but a scratch store.

    GitHub and the cluster are read. Raises `ConfigurationError` where one of them cannot be reached by the options.
    """
    manifests = Manifests()
    async with _rooms(around, manifests, known) as rooms:
        options = around.options
        admission = Admission(options.app_id, options.installations, options.owners)
        dispatcher = Dispatcher(admission, rooms.github.commits, rooms.builds)
        performer = Performer(rooms, dispatcher, Submitter(rooms), decode=decode, slack=None)
        with recording(Redaction(options.secrets)) as record:
            try:
                outcome, failed = await performer.perform(delivery), False
            except KubeCIError as error:
                outcome, failed = f"{type(error).__name__}: {error}", True
        return Rehearsed(record.steps, tuple(manifests.created), record.fit(outcome), failed)


@asynccontextmanager
async def _rooms(around: Surroundings, manifests: Manifests, known: Iterable[Known]) -> AsyncIterator[Rooms]:
    options, config = around.options, around.config
    async with AsyncExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="kubeci-rehearsal-")
        stack.push_async_callback(asyncio.to_thread, folder.cleanup)
        scratch = await stack.enter_async_context(database(f"sqlite:///{Path(folder.name) / 'scratch.db'}"))
        builds = SqlBuilds(scratch)
        for each in known:
            await builds.add(each.build)
            await builds.save_outcome(each.build.id, each.outcome)
            await builds.save_reported(each.build.id, each.reported)
        github = await stack.enter_async_context(enter_github(around, Metrics()))
        cluster = await stack.enter_async_context(enter_cluster(around))
        yield Rooms(
            github=dry_github(github_rooms(github, config)),
            cluster=dry_cluster(await stack.enter_async_context(cluster_rooms(cluster, around)), manifests),
            builds=builds,
            sandbox=await stack.enter_async_context(Sandbox(sources=module_sources(github, config))),
            config=config,
            argo_ui=options.argo_ui.rstrip("/"),
            clock=partial(datetime.now, UTC),
            nonce=partial(secrets.token_hex, 16),
        )
