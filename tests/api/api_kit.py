"""Words for tests of the HTTP API: a server with tokens, and a client that speaks JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.stack import LocalStack, StackSettings, surroundings, with_server
from kubeci.settings.api import ApiToken, Verb
from kubeci.settings.pattern import Pattern

REPOSITORY = "acme/widgets"
OTHER = "acme/secrets"
NAMESPACE = "argo"
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
    pushes: int = 0
    there: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The CI files that stand on `main`, by repository."""

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
        """Push to `main`, each time another commit, without the definition that was there before."""
        gone = dict.fromkeys(self.there.get(repository, ()))
        self.there[repository] = tuple(path for path in files if path.startswith(".kube-ci/"))
        self.pushes += 1
        return await self.stack.github.push(repository, {"NUMBER": str(self.pushes), **gone, **files})

    async def until(self, run_id: str, fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Ask for a run until it fits."""
        async with asyncio.timeout(20):
            while not fits(found := (await self("GET", f"/runs/{run_id}")).json()):
                await asyncio.sleep(0.05)
        return found

    async def ended(self, run_id: str) -> dict[str, Any]:
        return await self.until(run_id, lambda found: found["run"]["state"] == "finished")

    async def built(self, sha: str, repository: str = REPOSITORY) -> str:
        """Wait for the run of a push; give its id."""
        async with asyncio.timeout(20):
            while True:
                runs = (await self("GET", "/runs", params={"repository": repository})).json()["runs"]
                if mine := [run["id"] for run in runs if run["sha"] == sha and run["what"] == "push"]:
                    return str(mine[0])
                await asyncio.sleep(0.05)


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


async def running(
    api: Api, *, log: LogBuffer | None, step: str = "Running", **pod_status: Any
) -> tuple[str, str]:
    """Have a push built and write that it has one step in this phase; give the run's path and the step's id."""
    run_id = await api.built(await api.push({".kube-ci/ci.yaml": steps("true")}))
    started = await api.until(run_id, lambda found: found["run"]["workflow"])
    name = started["run"]["workflow"]["name"]
    node = f"{name}-1"
    objects = api.stack.cluster.objects
    spec = {"nodeName": "node", "containers": [{"name": "main", "image": "alpine"}]}
    pod = {"metadata": {"name": node}, "spec": spec, "status": {"phase": "Running"} | pod_status}
    objects.create(PODS, NAMESPACE, pod)
    if log:
        objects.logs[NAMESPACE, node, "main"] = log
    told = {"hostNodeName": "node", "phase": step, "startedAt": "2026-01-01T12:00:00Z"}
    if step != "Running":
        told["finishedAt"] = "2026-01-01T12:01:00Z"
    nodes = {
        name: {"id": name, "name": name, "type": "Steps", "children": [node], **told},
        node: {"id": node, "name": node, "displayName": "step-0", "type": "Pod", **told},
    }
    annotations = {"workflows.argoproj.io/pod-name-format": "v1"}
    patch = {"metadata": {"annotations": annotations}, "status": {"phase": step, "nodes": nodes}}
    objects.merge_patch(WORKFLOWS, NAMESPACE, name, patch)
    await api.until(run_id, lambda found: found["steps"])
    return f"/runs/{run_id}", node


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
            httpx.AsyncClient(base_url=stack.server_url, trust_env=False, verify=False, timeout=30) as client,
        ):
            yield Api(stack, client)
