"""The local Slack, GitHub and cluster, and the server's Slack parts between them."""

from __future__ import annotations

import asyncio
import atexit
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml
from starlette.applications import Starlette
from starlette.routing import Route

from kubeci.assembly.adapters import (
    Patience,
    cluster_rooms,
    enter_cluster,
    enter_github,
    github_rooms,
    module_sources,
)
from kubeci.assembly.adapters import Surroundings as Built
from kubeci.definition.sandbox import Sandbox
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.faults import Fault
from kubeci.local.serving import serving
from kubeci.local.slack.server import LocalSlack
from kubeci.local.stack import StackSettings, Surroundings, surroundings
from kubeci.local.zygotes import KeptZygotes
from kubeci.model.event import Delivery
from kubeci.service.dispatch import Admission
from kubeci.service.intake import Intake, Schedule
from kubeci.service.rooms import Rooms
from kubeci.service.slack import SlackCommands, SlackResponses
from kubeci.service.submit import Submitter
from kubeci.settings.config import Config, TemplateFiles
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import Slack, SlackAccess, SlackVerb
from kubeci.slack.client import SlackClient
from kubeci.slack.commands import is_certificate_check, read_command
from kubeci.slack.signature import verify
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.store.inbox import SqlInbox
from kubeci.telemetry import Metrics
from kubeci.web.slack import SlackPorts, SlackWebhook

REPOSITORY = "acme/widgets"
ADA, EVE = "U0ADA", "U0EVE"
PAUSES = (0.01, 0.02)

T = TypeVar("T")


def workflow(*, deploying: bool = False) -> str:
    step: dict[str, Any] = {"name": "ci", "container": {"image": "alpine", "command": ["true"]}}
    deploy = {**step, "name": "deploy", "inputs": {"parameters": [{"name": "environment"}]}}
    spec = {"entrypoint": "ci", "templates": [step, deploy] if deploying else [step]}
    return yaml.safe_dump({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": spec})


def config_for(folder: Path, *rows: SlackAccess) -> Config:
    template = folder / "template.yaml"
    template.write_text(workflow())
    return Config(
        build_branches=Pattern("."),
        deploy_templates=Pattern("^deploy$"),
        templates={"plain": TemplateFiles("for <all>", str(template)), "empty": TemplateFiles()},
        slack=Slack(access=rows or (SlackAccess((Pattern("acme/.*"),), tuple(SlackVerb), users=(ADA,)),)),
    )


@dataclass
class SlackScene:
    """What the tests speak to and look at."""

    slack: LocalSlack
    around: Surroundings
    rooms: Rooms
    commands: SlackCommands

    async def give(self, command: str, text: str = "", *, user: str = ADA, channel: str = "builds") -> str:
        return await self.slack.command(channel, user, command, text)

    async def until(self, condition: Callable[[], T]) -> T:
        async with asyncio.timeout(20):
            while not (found := condition()):
                await asyncio.sleep(0.01)
        return found

    async def told(self, count: int = 2) -> list[str]:
        """Wait until so many messages stand in the channel: the answer at once, and the result."""
        return await self.until(lambda: texts if len(texts := self.texts()) >= count else [])

    async def done(self, *states: str) -> list[tuple[str, str]]:
        """Wait until nothing is under way; give each command's state and what came of it."""
        await self.until(lambda: not [row for row in self.stored() if row[0] in {"waiting", "working"}])
        return [row for row in self.stored() if not states or row[0] in states]

    def texts(self) -> list[str]:
        return [said.text for said in self.slack.messages("builds")]

    def stored(self) -> list[tuple[str, str]]:
        with closing(sqlite3.connect(self.around.options.store_url.removeprefix("sqlite:///"))) as store:
            return store.execute("SELECT state, reason FROM deliveries ORDER BY received_at").fetchall()

    def workflows(self) -> list[dict[str, Any]]:
        return self.around.cluster.objects.list(WORKFLOWS, None)

    def github_fault(self, method: str, path: str, **how: Any) -> None:
        self.around.github.faults.add(Fault(method, path, **how))


@asynccontextmanager
async def scene_in(folder: Path, config: Config | None = None) -> AsyncIterator[SlackScene]:
    config = config or config_for(folder)
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(
            surroundings(folder, StackSettings(engine=False, config=config))
        )
        await around.github.create_repository(REPOSITORY)
        slack = await stack.enter_async_context(LocalSlack())
        slack.add_channel("builds")
        slack.add_channel("elsewhere")
        client = await stack.enter_async_context(
            SlackClient(slack.token, slack.api_url, trust_env=False, answer_seconds=0.5)
        )
        stored = await stack.enter_async_context(database(around.options.store_url))
        rooms = await _rooms(stack, around, SqlBuilds(stored))
        commands = commands_of(rooms, client)

        async def perform(delivery: Delivery, *, last_attempt: bool = False) -> str:
            return await commands.handle(
                delivery.payload, delivery.id, delivery.received_at, last_attempt=last_attempt
            )

        inbox = SqlInbox(stored)
        arrived = asyncio.Event()
        schedule = Schedule(rooms.clock, lambda _failures: 0.01)
        intake = Intake(inbox, perform, wakes=arrived, schedule=schedule)
        ports = SlackPorts(
            verify=partial(verify, slack.signing_secret.encode()),
            is_certificate_check=is_certificate_check,
            read=partial(read_command, slack_url=slack.api_url),
            access=config.slack.access,
            templates=config.templates,
            inbox=inbox,
            wake=arrived.set,
            clock=rooms.clock,
            metrics=Metrics(),
        )
        web = Starlette(routes=[Route("/webhooks/slack/cmd", SlackWebhook(ports).__call__, methods=["POST"])])
        slack.request_url = f"{await stack.enter_async_context(serving(web))}/webhooks/slack/cmd"
        working = asyncio.create_task(intake.run())
        try:
            yield SlackScene(slack, around, rooms, commands)
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working


@cache
def _zygotes() -> KeptZygotes:
    """Give the zygotes of all scenes: starting one is a tenth of a second of work; they end with the process."""
    kept = KeptZygotes()
    atexit.register(kept.end)
    return kept


async def _rooms(stack: AsyncExitStack, around: Surroundings, builds: SqlBuilds) -> Rooms:
    built = Built(around.options, around.config, Patience(0.5, (0.02,), 0.2), trust_env=False)
    github = await stack.enter_async_context(enter_github(built, Metrics()))
    cluster = await stack.enter_async_context(enter_cluster(built))
    return Rooms(
        github=github_rooms(github, around.config),
        cluster=await stack.enter_async_context(cluster_rooms(cluster, built)),
        builds=builds,
        sandbox=await stack.enter_async_context(
            Sandbox(sources=module_sources(github, around.config), zygotes=_zygotes())
        ),
        config=around.config,
        argo_ui=around.options.argo_ui,
        clock=partial(datetime.now, UTC),
        nonce=lambda: "nonce",
    )


def commands_of(rooms: Rooms, slack: SlackResponses, *, owners: str = ".") -> SlackCommands:
    admission = Admission(1, owners=Pattern(owners))
    return SlackCommands(rooms, Submitter(rooms), slack, admission, pauses=PAUSES)


def without_access(rooms: Rooms) -> Rooms:
    return replace(rooms, config=_without(rooms.config))


def _without(config: Config) -> Config:
    return msgspec.structs.replace(config, slack=Slack())
