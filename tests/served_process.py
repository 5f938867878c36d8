"""`kubeci serve` as a process of its own, as operators run it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from github_scene import Place

from kubeci.local.stack import WEBHOOK_SECRET

SETTINGS = 'buildBranches: "."\n'


@asynccontextmanager
async def serve(
    place: Place, folder: Path, settings: str = SETTINGS
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the server until the block ends, where it is killed; its log is `server.log` of the folder."""
    options = place.options
    (folder / "key.pem").write_text(options.private_key)
    (folder / "secret").write_text(WEBHOOK_SECRET)
    (folder / "settings.yaml").write_text(settings)
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
        place.github.webhook_url = f"http://{address}/webhooks/github"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        place.github.webhook_url = ""


async def _answers(url: str) -> None:
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False, verify=False) as client:
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.02)
