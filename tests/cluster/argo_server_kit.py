"""What the tests of the adapter to argo-server share: workflows, odd servers, how a log is read."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kubeci.cluster.argo_server import ArgoServer
from kubeci.local.serving import drop_connection

TOKEN = "very-secret-token"
NODE = {
    "id": "ci",
    "name": "ci",
    "displayName": "ci",
    "type": "Pod",
    "templateName": "main",
    "phase": "Failed",
}


def workflow(phase: str) -> dict[str, Any]:
    spec = {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "any"}}]}
    return {"metadata": {"name": "ci"}, "spec": spec, "status": {"phase": phase, "nodes": {"ci": NODE}}}


def archived(data: str) -> dict[str, Any]:
    """Give a workflow whose node left an archived log."""
    whole = workflow("Failed")
    node = NODE | {"outputs": {"artifacts": [{"name": "main-logs", "raw": {"data": data}}]}}
    whole["status"]["nodes"] = {"ci": node}
    return whole


class Odd:
    """An argo-server that answers every request the same, and remembers what was asked."""

    def __init__(self, answer: ASGIApp) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        authorization = request.headers.get("authorization", "")
        self.asked.append((request.method, scope["raw_path"].decode(), authorization, await request.body()))
        await self.answer(scope, receive, send)


def in_json(status: int, body: str) -> Response:
    return Response(body, status, media_type="application/json")


async def dropped(scope: Scope, _receive: Receive, _send: Send) -> None:
    drop_connection(scope)
    await asyncio.sleep(0)


async def read_log(
    argo: ArgoServer, *, name: str = "ci", node: str = "ci", artifact: str = "main-logs"
) -> bytes:
    async with aclosing(argo.archived_log("ci", name, node, artifact)) as chunks:
        return b"".join([chunk async for chunk in chunks])
