"""The server as processes: started, killed without warning, started again, behind one address."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from chaos.front import Front
from chaos.world import World
from kubeci.local.serving import serving

START_SECONDS = 60.0
LOOK_SECONDS = 0.02
LOG_LINES = 30


class DidNotStartError(Exception):
    """The server ended by itself, or does not answer."""


@dataclass(slots=True)
class Replica:
    """One server: its process may be another one each time, its port and its log stay."""

    world: World
    store: str
    port: int
    log: Path
    process: asyncio.subprocess.Process | None = None
    kills: int = 0

    async def spawn(self) -> None:
        """Start the process without waiting for it."""
        folder = self.world.folder
        command = [
            f"--github.appid={self.world.github.app.id}",
            f"--config={folder / 'settings.yaml'}",
            f"--keyfile={folder / 'key.pem'}",
            f"--secretfile={folder / 'secret'}",
            f"--github-url={self.world.github.api_url}",
            f"--kubeconfig={folder / 'kubeconfig'}",
            f"--argo-server={self.world.argo_url}",
            f"--argo-tokenfile={folder / 'argo-token'}",
            f"--store={self.store}",
            f"--listen=127.0.0.1:{self.port}",
            "--grace.shutdown=0s",
        ]
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "kubeci", "serve", *command, stdout=log, stderr=log,
                env={"PATH": os.environ.get("PATH", ""), "NO_PROXY": "127.0.0.1", "HOME": str(folder)},
            )  # fmt: skip

    async def answers(self) -> None:
        """Wait until the server answers; DidNotStartError when it ended or took too long."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(START_SECONDS):
                    while self.process and self.process.returncode is None:
                        with suppress(httpx.TransportError):
                            if (await client.get(f"http://127.0.0.1:{self.port}/status")).is_success:
                                return
                        await asyncio.sleep(LOOK_SECONDS)
        raise DidNotStartError(f"the server does not answer: {self.last_lines(5)}")

    async def kill(self) -> None:
        """End the process with SIGKILL."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
            self.kills += 1
        self.process = None

    def last_lines(self, count: int = LOG_LINES) -> str:
        """Give the end of its log."""
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
        return ""


@dataclass(slots=True)
class Replicas:
    """All servers of a scenario; `front` is the address that GitHub and callers of the API know."""

    each: list[Replica]
    front: str
    kills: int = field(init=False, default=0)

    async def start(self) -> None:
        """Start all that do not run, and wait until they answer."""
        for replica in self.each:
            if replica.process is None or replica.process.returncode is not None:
                await replica.spawn()
        for replica in self.each:
            await replica.answers()


@asynccontextmanager
async def replicas(world: World, store: str, *, count: int = 1) -> AsyncIterator[Replicas]:
    """Have so many servers on one store behind one address until the block ends; none is started yet."""
    each = [Replica(world, store, _free_port(), world.folder / f"server-{n}.log") for n in range(count)]
    async with Front([replica.port for replica in each]) as front, serving(front.app) as url:
        world.github.webhook_url = f"{url}/webhooks/github"
        try:
            yield Replicas(each, url)
        finally:
            world.github.webhook_url = ""
            for replica in each:
                await replica.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
