"""The local argo-server and its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kubeci.local.argo_server import artifacts
from kubeci.local.argo_server.answers import (
    INVALID_ARGUMENT,
    UNIMPLEMENTED,
    RefusedError,
    answer,
    of_api_server,
    refuse,
    refuse_stream,
)
from kubeci.local.argo_server.door import Door
from kubeci.local.argo_server.lint import lint
from kubeci.local.argo_server.logs import lines, pods_of
from kubeci.local.cluster.call import body_of
from kubeci.local.cluster.faults import Faults
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.cluster.status import ApiError
from kubeci.local.cluster.users import User
from kubeci.local.engine.retry import CannotRetryError, retry
from kubeci.local.serving import serving
from kubeci.model.json import JsonObject

_WORKFLOW = "/api/v1/workflows/{namespace}/{name}"
# Who did what last; Argo writes a service account's name here.
_RETRIED = MappingProxyType(
    {"workflows.argoproj.io/action": "Retry", "workflows.argoproj.io/actor": "somebody"}
)
# of the version that is imitated; what a build of it would say is left empty
_VERSION = MappingProxyType(
    {
        "version": "v4.1.4",
        "buildDate": "1970-01-01T00:00:00Z",
        "gitCommit": "",
        "gitTag": "v4.1.4",
        "gitTreeState": "clean",
        "goVersion": "",
        "compiler": "",
        "platform": "",
    }
)


@dataclass(frozen=True, slots=True)
class LocalArgoServer:
    """An argo-server that runs: its address, the bearer token that it asks for, and what a test lets go wrong."""

    url: str
    token: str = field(repr=False)
    faults: Faults


@asynccontextmanager
async def argo_server(objects: Objects, *, port: int = 0) -> AsyncIterator[LocalArgoServer]:
    """Serve the workflows of `objects` on 127.0.0.1 until the block ends; the token is new each time."""
    user, faults = User("argo", allowed=True), Faults()
    async with serving(Door(user, faults, _routes(objects)), port=port) as url:
        yield LocalArgoServer(url, user.token, faults)


def _routes(objects: Objects) -> Starlette:
    server = _Server(objects)
    return Starlette(
        routes=[
            Route("/api/v1/version", server.version),
            Route("/api/v1/info", server.info),
            Route("/api/v1/workflows/{namespace}/lint", server.lint, methods=["POST"]),
            Route(_WORKFLOW, server.get),
            Route(f"{_WORKFLOW}/log", server.log),
            Route(f"{_WORKFLOW}/retry", server.retry, methods=["PUT"]),
            Route(artifacts.PATH, server.artifact),
        ],
        exception_handlers={
            RefusedError: _refused,
            ApiError: _refused_by_api_server,
            HTTPException: _no_such_path,
        },
    )


class _Server:
    """What is answered at each path."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def version(self, _: Request) -> Response:
        """Answer with the version of Argo that is imitated."""
        return answer(dict(_VERSION))

    async def info(self, _: Request) -> Response:
        """Answer with what the web pages ask for first."""
        return answer({"managedNamespace": "", "links": [], "modals": {}, "navColor": "", "columns": []})

    async def get(self, request: Request) -> Response:
        """Answer with a workflow."""
        return answer(self._objects.get(WORKFLOWS, *_key(request)))

    async def retry(self, request: Request) -> Response:
        """Let a failed workflow go on and answer with it."""
        asked = await _body(request)
        for option in ("restartSuccessful", "nodeFieldSelector", "parameters"):
            if asked.get(option):
                raise RefusedError(UNIMPLEMENTED, f"the local argo-server does not know {option}")
        try:
            retry(self._objects, *_key(request), datetime.now(UTC))
        except CannotRetryError as error:
            raise RefusedError(INVALID_ARGUMENT, str(error)) from error
        patch = {"metadata": {"labels": dict(_RETRIED)}}
        return answer(self._objects.merge_patch(WORKFLOWS, *_key(request), patch))

    async def lint(self, request: Request) -> Response:
        """Judge a workflow and answer with it."""
        return answer(lint(self._objects, request.path_params["namespace"], await _body(request)))

    async def artifact(self, request: Request) -> Response:
        """Answer with an output artifact of a node."""
        return artifacts.answer(self._objects, request)

    async def log(self, request: Request) -> Response:
        """Stream the logs of a workflow's pods, one after the other."""
        namespace, name = _key(request)
        try:
            self._objects.get(WORKFLOWS, namespace, name)
        except ApiError as error:
            return refuse_stream(of_api_server(error))
        query = request.query_params
        container = query.get("logOptions.container") or "main"
        follow = query.get("logOptions.follow", "").lower() in {"1", "t", "true"}
        pods = pods_of(self._objects, namespace, name, query.get("podName", ""))

        async def stream() -> AsyncIterator[bytes]:
            for pod in pods:
                if (buffer := self._objects.logs.get((namespace, pod, container))) is not None:
                    async for line in lines(buffer, pod, follow=follow):
                        yield line

        return StreamingResponse(stream(), media_type="application/json")


def _key(request: Request) -> tuple[str, str]:
    return request.path_params["namespace"], request.path_params["name"]


async def _body(request: Request) -> JsonObject:
    raw = await body_of(request)
    try:
        body: Any = msgspec.json.decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(INVALID_ARGUMENT, str(error)) from error
    if not isinstance(body, dict):
        raise RefusedError(INVALID_ARGUMENT, "the body is no JSON object")
    return body


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return refuse(error)


async def _refused_by_api_server(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return refuse(of_api_server(error))


async def _no_such_path(_: Request, _error: Exception) -> Response:
    return refuse(RefusedError(UNIMPLEMENTED, "Not Implemented"))
