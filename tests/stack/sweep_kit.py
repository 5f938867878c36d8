"""Words for tests in which something is missed, and found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests_stack import PASSING, REPOSITORY, workflow
from world import FAST, World

from kubeci.github.events import ACTIONS
from kubeci.local.github.deliveries import Delivery
from kubeci.local.serving import serving
from kubeci.local.stack import StackSettings, surroundings
from kubeci.service.sweep import SweepPace
from kubeci.settings.duration import Duration

QUICK = SweepPace(begin=0.02, soon=0.1, between=0.0, arrival=2.0, look=0.02)
SWEEPING = replace(FAST, sweep=QUICK)
TAGGED = {".kube-ci/ci.yaml": workflow(["true"], annotations={"kube-ci.qutics.com/runForTag": "true"})}
READ = frozenset(ACTIONS)
LIST, AGAIN = "/app/hook/deliveries", "/attempts"


def frequent(world: World) -> None:
    config = msgspec.structs.replace(world.stack.config, sweep_interval=Duration("200ms"))
    world.stack = replace(world.stack, config=config)


async def swept(world: World, times: int = 1) -> None:
    """Wait for so many complete sweeps that begin after now; each ends before the next one reads the list."""
    before = len(world.api_calls("GET", LIST))
    await world.until(lambda: len(world.api_calls("GET", LIST)) > before + times)


def mark(world: World) -> float:
    found = dict(world.stored("SELECT name, at FROM marks"))
    return float(found.get("sweep", 0.0))


async def back_after(world: World, **away: float) -> None:
    """Start the server when so much time has gone by since it went away."""
    await world.stack.github.settled()
    world.clock.ahead += timedelta(**away)
    await world.start(SWEEPING)


def asked(world: World) -> int:
    return len(world.api_calls("POST", AGAIN))


def names(world: World, sha: str) -> list[str]:
    return [run.name for run in world.runs(sha)]


@asynccontextmanager
async def away_in(folder: Path) -> AsyncIterator[World]:
    """A server that has swept and built something, and is away now."""
    async with surroundings(folder, StackSettings(engine=False)) as around:
        await around.github.create_repository(REPOSITORY)
        world = World(around)
        frequent(world)
        await world.start(SWEEPING)
        try:
            await world.push(PASSING)
            await world.submitted()
            await world.quiet()
            await swept(world)
            await world.kill()
            around.github.requests.clear()
            yield world
        finally:
            if world.life:
                await world.kill()


async def strange_pull_request(world: World) -> str:
    github = world.stack.github
    await github.fork(REPOSITORY, "stranger")
    github.user = "stranger"
    sha = await github.push("stranger/widgets", {"x": "y"}, branch="patch")
    await github.open_pull_request(REPOSITORY, head="stranger/widgets:patch")
    github.user = "octocat"
    return sha


def redeliveries(world: World) -> list[Delivery]:
    return [each for each in world.stack.github.deliveries.sent if each.redelivery]


@asynccontextmanager
async def proxy(world: World, *, status: int) -> AsyncIterator[list[str]]:
    """Something that answers in the server's place, and keeps the ids of what it lost."""
    lost: list[str] = []

    async def answer(request: Request) -> Response:
        await request.body()
        if (request.headers["x-github-event"], "") in READ or request.headers[
            "x-github-event"
        ] == "check_suite":
            lost.append(request.headers["x-github-delivery"])
        return Response("", status)

    async with serving(Starlette(routes=[Route("/", answer, methods=["POST"])])) as url:
        world.stack.github.webhook_url = url
        yield lost
        world.stack.github.webhook_url = ""
