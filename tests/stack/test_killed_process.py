"""The real program, killed without warning."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from tests_stack import PASSING
from world import LINES, NEVER, Step, World, once

from kubeci.local.stack import WEBHOOK_SECRET

POST_WORKFLOW = ("POST", r"/workflows\?")


@asynccontextmanager
async def serve(world: World, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `kubeci serve` between the surroundings; it is killed at the end of the block."""
    options = world.stack.options
    (folder / "key.pem").write_text(options.private_key)
    (folder / "secret").write_text(WEBHOOK_SECRET)
    (folder / "settings.yaml").write_text('buildBranches: "."\n')
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    command = [
        f"--github.appid={options.app_id}",
        f"--config={folder / 'settings.yaml'}",
        f"--keyfile={folder / 'key.pem'}",
        f"--secretfile={folder / 'secret'}",
        f"--github-url={options.github_url}",
        f"--kubeconfig={options.kubeconfig}",
        f"--store={options.store_url}",
        f"--listen={address}",
    ]
    with (folder / "server.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kubeci", "serve", *command, stdout=log, stderr=log,
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
        )  # fmt: skip
    try:
        await _answers(f"http://{address}/status")
        world.stack.github.webhook_url = f"http://{address}/webhooks/github"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(url: str) -> None:
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False, verify=False) as client:
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.02)


async def test_a_real_process_killed_without_warning_leaves_nothing_open(
    world: World, tmp_path: Path
) -> None:
    await world.kill()
    async with serve(world, tmp_path) as process:
        world.stack.cluster.faults.add(*POST_WORKFLOW, after=True, drop=True, delay_seconds=NEVER)
        sha = await world.push(PASSING)
        name = await world.submitted()
        process.send_signal(signal.SIGKILL)
        await process.wait()
    world.status(name, "Succeeded", Step("a", log=LINES))
    async with serve(world, tmp_path):
        run = await world.concluded(sha)
        await once(world, sha)
        await world.quiet()
    assert run.conclusion == "success"
