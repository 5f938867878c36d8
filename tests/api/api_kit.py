"""Words for tests of the HTTP API: a server with tokens, and a client that speaks JSON."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml
from starlette.applications import Starlette

from kubeci.assembly import Patience, cluster_rooms, enter_cluster, enter_github, github_rooms
from kubeci.assembly import Surroundings as Outside
from kubeci.definition.sandbox import Sandbox
from kubeci.local.serving import serving
from kubeci.local.stack import LocalStack, StackSettings, Surroundings, surroundings, with_server
from kubeci.service.dispatch import Admission
from kubeci.service.look import Look
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter
from kubeci.settings.api import ApiToken, Verb
from kubeci.settings.pattern import Pattern
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.telemetry import Metrics
from kubeci.web.access import Access
from kubeci.web.api.routes import ApiPorts, api_routes

REPOSITORY = "acme/widgets"
OTHER = "acme/secrets"
SHA = "0123456789abcdef0123456789abcdef01234567"


def token(name: str, repositories: str, *verbs: Verb) -> ApiToken:
    return ApiToken(name, f"the secret of {name}".encode(), (Pattern(repositories),), frozenset(verbs))


TOKENS = (
    token("ops", "acme/.*", *Verb),
    token("reader", REPOSITORY, Verb.READ),
    token("renderer", REPOSITORY, Verb.RENDER),
    token("runner", REPOSITORY, Verb.RUN),
    token("shouter", "acme/[A-Z]+", *Verb),
    token("stranger", "globex/.*", *Verb),
)


@dataclass
class Api:
    """A server with the API, and a repository."""

    stack: LocalStack
    client: httpx.AsyncClient

    async def __call__(
        self, method: str, path: str, *, by: str = "ops", headers: dict[str, str] | None = None, **how: Any
    ) -> httpx.Response:
        authorization = {"Authorization": f"Bearer the secret of {by}"} if by else {}
        return await self.client.request(
            method, f"/api/v1{path}", headers=authorization | (headers or {}), **how
        )

    async def run(self, sha: str, *, by: str = "ops", key: str = "", **fields: Any) -> httpx.Response:
        owner, _, name = REPOSITORY.partition("/")
        body = {"org": owner, "repo": name, "ref": "main", "hash": sha, **fields}
        headers = {"Idempotency-Key": key} if key else {}
        return await self("POST", "/run", by=by, headers=headers, json=body)

    async def push(self, files: dict[str, Any], repository: str = REPOSITORY) -> str:
        return await self.stack.github.push(repository, files)

    async def until(self, run_id: str, fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Ask for a run until it fits."""
        async with asyncio.timeout(20):
            while not fits(found := (await self("GET", f"/runs/{run_id}")).json()):
                await asyncio.sleep(0.05)
        return found

    async def ended(self, run_id: str) -> dict[str, Any]:
        return await self.until(run_id, lambda found: found["run"]["state"] == "finished")

    async def first(self, repository: str = REPOSITORY) -> str:
        """Wait for the run of a push; give its id."""
        async with asyncio.timeout(20):
            while not (
                runs := (await self("GET", "/runs", params={"repository": repository})).json()["runs"]
            ):
                await asyncio.sleep(0.05)
        return str(runs[0]["id"])


def steps(*commands: str, **metadata: Any) -> str:
    """A definition whose steps run these lines of shell one after the other."""
    templates = [
        {"name": f"step-{number}", "container": {"image": "alpine", "command": ["sh", "-c", line]}}
        for number, line in enumerate(commands)
    ]
    outer = {
        "name": "ci",
        "steps": [[{"name": each["name"], "template": each["name"]}] for each in templates],
    }
    return yaml.safe_dump(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": metadata,
            "spec": {"entrypoint": "ci", "templates": [outer, *templates]},
        }
    )


@asynccontextmanager
async def beside(around: Surroundings) -> AsyncIterator[str]:
    """Serve the API with rooms of its own, beside the server."""
    outside = Outside(around.options, around.config, Patience(), trust_env=False)
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(enter_github(outside, Metrics()))
        cluster = await stack.enter_async_context(enter_cluster(outside))
        clock = partial(datetime.now, UTC)
        rooms = Rooms(
            github=github_rooms(github, around.config),
            cluster=await stack.enter_async_context(cluster_rooms(cluster, outside)),
            builds=SqlBuilds(await stack.enter_async_context(database(around.options.store_url))),
            sandbox=await stack.enter_async_context(Sandbox()),
            config=around.config,
            argo_ui=around.options.argo_ui,
            clock=clock,
            nonce=partial(secrets.token_hex, 16),
        )
        ports = ApiPorts(
            Access(around.options.api_tokens),
            rooms,
            Submitter(rooms),
            Admission(around.options.app_id),
            Look(rooms.cluster.workflows, clock),
            around.options.github_url,
        )
        yield await stack.enter_async_context(serving(Starlette(routes=[*api_routes(ports)])))


@asynccontextmanager
async def api_in(
    folder: Path, settings: StackSettings | None = None, tokens: tuple[ApiToken, ...] = TOKENS
) -> AsyncIterator[Api]:
    async with surroundings(folder, settings) as around:
        opened = replace(around, options=replace(around.options, api_tokens=tokens))
        await around.github.create_repository(REPOSITORY)
        await around.github.create_repository(OTHER)
        async with (
            with_server(opened) as stack,
            beside(opened) as url,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
        ):
            yield Api(stack, client)
