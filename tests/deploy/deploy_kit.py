"""What the tests read of the manifests, and the server as its image starts it."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import yaml

from kubeci.cli import cli
from kubeci.local.stack import WEBHOOK_SECRET, Surroundings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "examples" / "deploy"
KUBECI = Path(sys.executable).parent / "kubeci"
KUSTOMIZATIONS = sorted([*DEPLOY.rglob("kustomization.yaml"), ROOT / "rbac" / "kustomization.yaml"])


def read(path: Path) -> dict[str, Any]:
    """Give the one object of a file."""
    [found] = yaml.safe_load_all(path.read_text())
    return dict(found)


def manifest(name: str) -> dict[str, Any]:
    return read(DEPLOY / name)


def manifests() -> Iterator[Path]:
    """Give the files that hold an object each, the example of the Secret among them."""
    for path in sorted(DEPLOY.rglob("*.yaml")):
        if path.name not in {"kustomization.yaml", "config.yaml"}:
            yield path


def pod() -> dict[str, Any]:
    return dict(manifest("server/deployment.yaml")["spec"]["template"]["spec"])


def container() -> dict[str, Any]:
    [only] = pod()["containers"]
    return dict(only)


def bytes_of(quantity: str) -> int:
    found = re.fullmatch(r"(\d+)(Mi|Gi)", quantity)
    assert found, quantity
    return int(found[1]) << {"Mi": 20, "Gi": 30}[found[2]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def write_files(around: Surroundings, folder: Path) -> list[str]:
    """Write the files that the options name; give the options, without a command before them."""
    (folder / "github-key").write_text(around.options.private_key)
    (folder / "webhook-secret").write_text(WEBHOOK_SECRET)
    return [
        f"-github.appid={around.options.app_id}",
        f"--github-url={around.options.github_url}",
        f"-keyfile={folder / 'github-key'}",
        f"-secretfile={folder / 'webhook-secret'}",
        f"-kubeconfig={around.options.kubeconfig}",
    ]


@asynccontextmanager
async def started(
    command: Sequence[str], folder: Path, url: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a server in `folder` until the block ends, and wait until it answers."""
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "NO_PROXY": "127.0.0.1"}
        )
    try:
        await _answers(process, url, folder / "server.log")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False, verify=False) as client:
        while True:
            assert process.returncode is None, await asyncio.to_thread(log.read_text)
            try:
                if (await client.get(f"{url}/status")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def option(name: str) -> str:
    """Give an option as the Deployment's environment sets it, or its default."""
    [command] = container()["args"]
    serve = cli.get_command(click.Context(cli), command)
    assert serve
    [found] = [each for each in serve.params if each.opts == [f"--{name}"]]
    given = {each["name"]: each.get("value") for each in container()["env"]}
    return str(given.get(str(found.envvar), found.default))
