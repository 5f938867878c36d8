"""The real server as a process of its own: `kubeci serve` with the fakes' addresses in its options."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.fakes import Fakes
from bench.webhooks import Connection

START_SECONDS = 20.0
LOOK_SECONDS = 0.002
PROGRAM = str(Path(sys.executable).with_name("kubeci"))


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers; `start_seconds` is the time from its exec to its first answer."""

    port: int
    pid: int
    start_seconds: float

    @property
    def webhook_url(self) -> str:
        """Give the address that deliveries go to."""
        return f"http://127.0.0.1:{self.port}/webhooks/github"


@asynccontextmanager
async def server(fakes: Fakes) -> AsyncIterator[Server]:
    """Run the server until the block ends; its store is new, its log stands beside it."""
    port, folder = _free_port(), fakes.folder
    for old in folder.glob("kubeci.db*"):
        old.unlink()
    with (folder / "server.log").open("wb") as log:
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "serve",
            f"--github.appid={fakes.github.app.id}",
            f"--config={folder / 'settings.yaml'}",
            f"--keyfile={folder / 'key.pem'}",
            f"--secretfile={folder / 'secret'}",
            f"--github-url={fakes.github.api_url}",
            f"--kubeconfig={folder / 'kubeconfig'}",
            f"--store=sqlite:///{folder / 'kubeci.db'}",
            f"--listen=127.0.0.1:{port}",
            "--grace.shutdown=0s",
            stdout=log,
            stderr=log,
            env={"PATH": os.environ.get("PATH", ""), "NO_PROXY": "127.0.0.1", "HOME": str(folder)},
        )
    try:
        await _answers(port, process, folder / "server.log")
        yield Server(port, process.pid, time.perf_counter() - started)
    finally:
        await _end(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


async def _answers(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            if process.returncode is not None:
                said = await asyncio.to_thread(log.read_text, errors="replace")
                raise RuntimeError(f"the server ended: {said[-500:]}")
            try:
                async with Connection.opened(port) as connection:
                    if await connection.get("/status") == 200:
                        return
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            await asyncio.sleep(LOOK_SECONDS)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
