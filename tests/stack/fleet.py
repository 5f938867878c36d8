"""Words for tests with several replicas on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from tests_stack import REPOSITORY
from world import FAST, World

from kubeci.app import Pace, Server, running
from kubeci.local.cluster.resources import LEASES
from kubeci.local.serving import serving
from kubeci.local.stack import StackSettings, surroundings
from kubeci.service.election import Terms
from kubeci.settings.api import ApiToken, Verb
from kubeci.settings.pattern import Pattern

QUICK = replace(FAST, push_wait_seconds=0.0, terms=Terms(lease=3, deadline=2.0, pause=0.1))
"""Push and check suite of a commit are worked on at the same moment."""
TOKEN = ApiToken("ops", b"the secret of ops", (Pattern(".*"),), frozenset(Verb))


class Front:
    """What stands before the replicas, as a Kubernetes service does: one after the other."""

    def __init__(self) -> None:
        self.apps: list[ASGIApp] = []
        self._passed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._passed += 1
        await self.apps[self._passed % len(self.apps)](scope, receive, send)


@dataclass
class Fleet(World):
    """GitHub and a cluster without an engine, and replicas that come and go."""

    front: Front = field(default_factory=Front)
    url: str = ""
    """The address of what stands before the replicas."""
    lives: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    webs: dict[str, ASGIApp] = field(default_factory=dict)

    async def begin(self, name: str, pace: Pace = QUICK) -> None:
        """Start a replica."""
        ready: asyncio.Future[Server] = asyncio.get_running_loop().create_future()
        life = self.lives[name] = asyncio.create_task(self._life(name, pace, ready))
        either: list[asyncio.Future[Any]] = [ready, life]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            await life
        self.webs[name] = ready.result().web
        self.front.apps.append(self.webs[name])

    async def _life(self, name: str, pace: Pace, ready: asyncio.Future[Server]) -> None:
        options, config = self.stack.options, self.stack.config
        async with running(options, config, trust_env=False, pace=pace, replica=name) as server:
            ready.set_result(server)
            await asyncio.Event().wait()

    async def end(self, name: str) -> None:
        """Stop a replica as a rolling update does."""
        life, web = self.lives.pop(name), self.webs.pop(name)
        self.front.apps = [each for each in self.front.apps if each is not web]
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        assert life.cancelled(), life

    def ask(self, name: str) -> None:
        """Let all requests go to this replica."""
        self.front.apps = [self.webs[name]]

    def leader(self) -> str:
        """The holder of the lease; empty: nobody."""
        [lease] = self.stack.cluster.objects.list(LEASES, None) or [{}]
        return str(lease.get("spec", {}).get("holderIdentity", ""))


@asynccontextmanager
async def fleet_in(folder: Path, address: str) -> AsyncIterator[Fleet]:
    """Give GitHub and a cluster with the database at `address`, and no replica yet."""
    async with surroundings(folder, StackSettings(engine=False)) as around:
        await around.github.create_repository(REPOSITORY)
        options = replace(around.options, store_url=address, api_tokens=(TOKEN,))
        made = Fleet(replace(around, options=options))
        async with serving(made.front) as url:
            around.github.webhook_url = f"{url}/webhooks/github"
            made.url = url
            try:
                yield made
            finally:
                around.github.webhook_url = ""
                for name in list(made.lives):
                    await made.end(name)
