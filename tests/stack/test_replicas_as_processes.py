"""Two real processes on one PostgreSQL, of which one is told to go under load, and one is killed."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fleet import Fleet, fleet_in
from postgres_server import PostgresServer
from served_process import serve
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tests_stack import PASSING
from world import Step

from kubeci.local.serving import serving
from kubeci.service.held import CLAIM

TAKEOVER_SECONDS = 15.0


@dataclass
class Service:
    """Passes webhooks to the processes that are ready, one after the other, as a Kubernetes service does."""

    client: httpx.AsyncClient
    processes: dict[str, str]
    """Addresses, by name."""
    ready: list[str] = field(default_factory=list)
    refused: int = 0
    _passed: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self._passed += 1
        url = self.ready[self._passed % len(self.ready)]
        try:
            answer = await self.client.post(
                f"{url}/webhooks/github", content=await request.body(), headers=request.headers.raw
            )
        except httpx.TransportError:
            self.refused += 1
            await Response(status_code=502)(scope, receive, send)
            return
        await Response(answer.content, answer.status_code)(scope, receive, send)

    async def probe(self) -> None:
        """Ask who is ready, as the kubelet does; a probe that fails once is enough here."""
        while True:
            self.ready = [url for url in self.processes.values() if await self._is_ready(url)]
            await asyncio.sleep(0.1)

    async def _is_ready(self, url: str) -> bool:
        try:
            return (await self.client.get(f"{url}/status")).status_code == 200
        except httpx.TransportError:
            return False


@dataclass
class Processes:
    fleet: Fleet
    service: Service
    each: dict[str, asyncio.subprocess.Process]

    async def leading(self) -> str:
        """Wait until one leads; gives its name."""
        while True:
            for name, url in self.service.processes.items():
                found = await self.service.client.get(f"{url}/metrics")
                if "kubeci_leader 1.0" in found.text:
                    return name
            await asyncio.sleep(0.05)


@asynccontextmanager
async def processes(fleet: Fleet, folder: Path) -> AsyncIterator[Processes]:
    """Run two replicas behind a service until the block ends."""
    github = fleet.stack.github
    addresses: dict[str, str] = {}
    for name in ("a", "b"):
        (folder / name).mkdir()
    async with (
        serve(fleet.stack, folder / "a") as a,
        httpx.AsyncClient(trust_env=False, verify=False) as client,
    ):
        addresses["a"] = github.webhook_url.removesuffix("/webhooks/github")
        async with serve(fleet.stack, folder / "b") as b:
            addresses["b"] = github.webhook_url.removesuffix("/webhooks/github")
            service = Service(client, addresses, list(addresses.values()))
            probing = asyncio.create_task(service.probe())
            async with serving(service) as url:
                github.webhook_url = f"{url}/webhooks/github"
                yield Processes(fleet, service, {"a": a, "b": b})
                github.webhook_url = ""
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)


@pytest.fixture
async def running(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Processes]:
    async with fleet_in(tmp_path, postgres.new_database()) as fleet, processes(fleet, tmp_path) as made:
        yield made


async def test_a_rolling_update_loses_nothing_and_nothing_waits(running: Processes) -> None:
    fleet, service = running.fleet, running.service
    name = await running.leading()
    going = running.each[name]
    shas: list[str] = []
    for number in range(24):
        shas.append(await fleet.push(PASSING | {"n": str(number)}, branch=f"b{number}"))
        if number == 8:
            going.send_signal(signal.SIGTERM)
    began = asyncio.get_running_loop().time()
    assert await going.wait() == 0
    ended = asyncio.get_running_loop().time()
    await fleet.quiet()
    assert ended - began < 10.0, "the grace of Kubernetes is 30 seconds"
    assert asyncio.get_running_loop().time() - ended < CLAIM.total_seconds() / 2, "nobody waited for a claim"
    assert not service.refused
    assert not [each for each in fleet.stack.github.deliveries.sent if each.status_code not in {202, 200}]
    assert Counter(run.suite.head_sha for run in fleet.stack.github.state.runs.values()) == Counter(shas)
    assert len(fleet.workflows()) == len(shas)
    workflow = fleet.workflows()[0]["metadata"]["name"]
    fleet.status(workflow, "Succeeded", Step("a"))
    await fleet.until(
        lambda: [run for run in fleet.stack.github.state.runs.values() if run.conclusion == "success"],
        seconds=5.0,
    )


async def test_another_leads_within_fifteen_seconds_of_a_kill(running: Processes) -> None:
    fleet = running.fleet
    sha = await fleet.push(PASSING)
    workflow = await fleet.submitted()
    await fleet.quiet()
    killed = running.each[await running.leading()]
    killed.kill()
    await killed.wait()
    began = asyncio.get_running_loop().time()
    fleet.status(workflow, "Succeeded", Step("a"))
    await fleet.until(lambda: fleet.runs(sha)[0].conclusion == "success", seconds=TAKEOVER_SECONDS + 5)
    assert asyncio.get_running_loop().time() - began <= TAKEOVER_SECONDS
    assert len(fleet.runs(sha)) == 1
