"""A world whose cluster lacks something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from tests_stack import PASSING, REPOSITORY
from world import World

from kubeci.local.cluster.users import User
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import StackSettings, surroundings

ARGO = "argoproj.io"
Right = tuple[str, str, str]
"""Verb, API group, resource with its subresource."""


def words(verb: str, group: str, resource: str) -> str:
    named = f"{resource}.{group}" if group else resource
    return (
        f"the server may not {verb} {resource} in the namespace argo: its role lacks `{verb} {named}`; "
        "`kubeci doctor` prints the command that grants it"
    )


@asynccontextmanager
async def world_without(folder: Path, *denied: Right) -> AsyncIterator[World]:
    """A world whose server is a user of the cluster that lacks some rights; it is started by the test."""
    async with surroundings(folder, StackSettings(engine=False)) as around:
        await around.github.create_repository(REPOSITORY)
        user = User("system:serviceaccount:kubeci:kubeci", allowed=True, denied=frozenset(denied))
        around.cluster.further_users = (user,)
        around.cluster.write_kubeconfig(folder / "kubeconfig", user)
        made = World(around)
        try:
            yield made
        finally:
            if made.life:
                await made.kill()


def summary(run: CheckRun) -> str:
    return str(run.output.get("summary"))


async def the_run(world: World, sha: str) -> CheckRun:
    """Wait for the check-run of a commit."""
    run: CheckRun
    [run] = await world.until(lambda: world.runs(sha))
    return run


async def build(world: World) -> tuple[CheckRun, str]:
    """Push a commit; gives its check-run and what it says if the build does not begin."""
    run = await the_run(world, await world.push(PASSING))
    await world.until(lambda: world.workflows() or "Waiting" in summary(run) or run.status == "completed")
    return run, "" if world.workflows() else summary(run)


async def figure(world: World, name: str) -> float:
    """Give one of the server's figures; its status is good whatever it is.

    It is asked for often, and reading the machine's certificates each time would take longer than the answer.
    """
    assert world.server
    async with httpx.AsyncClient(base_url=world.server.server_url, trust_env=False, verify=False) as client:
        assert (await client.get("/status")).status_code == 200
        answer = await client.get("/metrics")
    [value] = [line.split()[1] for line in answer.text.splitlines() if line.startswith(f"{name} ")]
    return float(value)


async def until_watch(world: World, *, works: bool) -> None:
    async with asyncio.timeout(20):
        while await figure(world, "kubeci_cluster_watch") != works:
            await asyncio.sleep(0.02)
