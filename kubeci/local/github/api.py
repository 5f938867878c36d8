"""The door of the API: records the request, applies faults and limits, finds out who asks, and calls the operation."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kubeci.local.github.app_manifest_apps import answer_made
from kubeci.local.github.auth import InstallationToken, check_app
from kubeci.local.github.calls import Call, Operation, Services, no_integration
from kubeci.local.github.errors import ApiError, not_found
from kubeci.local.github.faults import Fault, Faults, SecondaryLimit
from kubeci.local.github.state import Repository
from kubeci.local.serving import drop_connection
from kubeci.model.json import JsonObject

REQUESTS_KEPT = 10_000
BODY_LIMIT = 10 * 1024 * 1024


@dataclass(slots=True)
class RecordedRequest:
    """An API request that came in; `path` is without `/api/v3`, `status` 0 while it is being answered."""

    method: str
    path: str
    query: str
    body: Any
    status: int = 0


def routes(operations: Iterable[Operation]) -> list[Route]:
    """Give the routes of the operations, at the root as on github.com and under /api as on an Enterprise Server.

    They belong to no server: what answers is the `api` of the application's state.
    """
    return [
        Route(path, _endpoint(operation), methods=[operation.method])
        for operation in operations
        for path in (
            operation.path,
            f"{'/api' if operation.path == '/graphql' else '/api/v3'}{operation.path}",
        )
    ]


def _endpoint(operation: Operation) -> Any:
    async def endpoint(request: Request) -> Response:
        api: Api = request.app.state.api
        return await api.answer(operation, request)

    return endpoint


class Dropped(Response):
    """No answer: the connection is closed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Close the connection and wait until the server has noticed."""
        drop_connection(scope)
        while (await receive())["type"] != "http.disconnect":
            pass


class Api:
    """Answers operations; `latency_seconds` delays every answer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.faults = Faults()
        self.latency_seconds = 0.0
        self.requests: deque[RecordedRequest] = deque(maxlen=REQUESTS_KEPT)

    async def answer(self, operation: Operation, request: Request) -> Response:
        """Answer a request for an operation."""
        body = await _body(request)
        path = request.url.path.removeprefix("/api/v3").removeprefix("/api")
        record = RecordedRequest(request.method, path, request.url.query, _parsed(body))
        self.requests.append(record)
        fault = self.faults.take(request.method, path)
        await asyncio.sleep(self.latency_seconds)
        if fault is None:
            response = await self._real(operation, request, body)
        else:
            response = await self._spoilt(fault, operation, request, body)
        record.status = 0 if isinstance(response, Dropped) else response.status_code
        return response

    async def _spoilt(self, fault: Fault, operation: Operation, request: Request, body: bytes) -> Response:
        if fault.after:
            await self._real(operation, request, body)
        await asyncio.sleep(fault.delay_seconds)
        return await self._real(operation, request, body) if fault.only_delays else _faulty(fault)

    async def _real(self, operation: Operation, request: Request, body: bytes) -> Response:
        services, now = self._services, self._services.state.now()
        caller = request.client.host if request.client else ""
        try:
            if made := services.made_apps.of_jwt(_credential(request)):
                response: Response = answer_made(services.state, made, operation.path)
            else:
                call = self._let_in(operation, request, body)
                caller = call.caller
                if operation.path != "/rate_limit":
                    services.limits.spend(caller, operation.resource, now)
                if operation.creates:
                    services.limits.create(caller, now)
                response = await operation.handler(call)
        except ApiError as error:
            response = error.response()
            if isinstance(error, SecondaryLimit) and services.limits.send_retry_after:
                response.headers["retry-after"] = "60"
        if request.method == "GET" and response.status_code == HTTPStatus.OK:
            response = _conditional(request, response)
            if response.status_code == HTTPStatus.NOT_MODIFIED:
                services.limits.give_back(caller, operation.resource, now)
        response.headers.update(services.limits.headers(caller, operation.resource, now))
        response.headers["date"] = format_datetime(now, usegmt=True)
        response.headers["x-github-request-id"] = secrets.token_hex(10).upper()
        return response

    def _let_in(self, operation: Operation, request: Request, body: bytes) -> Call:
        """Find out who asks, and whether they may: 401, then 404 for what they cannot see, then 403."""
        token = self._authenticate(operation, request)
        call = Call(self._services, request, _object(body), token)
        if "owner" in request.path_params:
            call.found = self._repository(request, token)
            if call.found.archived and operation.method != "GET":
                raise ApiError(403, "Repository was archived so is read-only.")
        if token is not None and not call.may(operation.needs):
            raise no_integration()
        return call

    def _authenticate(self, operation: Operation, request: Request) -> InstallationToken | None:
        if operation.caller == "anybody":
            return None
        credential = _credential(request)
        if not credential:
            raise ApiError(401, "Requires authentication")
        state = self._services.state
        if credential.count(".") == 2:
            check_app(state.app, credential, state.now())
            if operation.caller == "installation":
                raise no_integration()
            return None
        if operation.caller == "app":
            raise ApiError(401, "A JSON web token could not be decoded")
        token = state.tokens.get(credential)
        if (
            token is None
            or token.expires_at <= state.now()
            or token.installation_id not in state.installations
        ):
            raise ApiError(401, "Bad credentials")
        if state.installations[token.installation_id].suspended_at is not None:
            raise ApiError(403, "This installation has been suspended")
        return token

    def _repository(self, request: Request, token: InstallationToken | None) -> Repository:
        state = self._services.state
        repository = state.repository(f"{request.path_params['owner']}/{request.path_params['repo']}")
        if repository is None or (token is not None and not state.reaches(token, repository)):
            raise not_found()
        return repository


def _credential(request: Request) -> str:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() in {"bearer", "token"} else ""


def _faulty(fault: Fault) -> Response:
    if fault.status is None:
        return Dropped()
    return Response(fault.body, fault.status, dict(fault.headers), "application/json; charset=utf-8")


def _conditional(request: Request, response: Response) -> Response:
    """Answer 304 when the caller has the content; GitHub's answers may be kept for 60 seconds."""
    etag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()}"'
    headers = {
        "etag": etag,
        "cache-control": "private, max-age=60, s-maxage=60",
        "vary": "Accept, Authorization",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= BODY_LIMIT:
            chunks.append(chunk)
    return b"".join(chunks)


def _parsed(body: bytes) -> Any:
    """Parse JSON; None when it is none, or holds half of a surrogate pair, which cannot be written again."""
    try:
        parsed = json.loads(body) if body else None
        json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return parsed


def _object(body: bytes) -> JsonObject:
    if not body:
        return {}
    parsed = _parsed(body)
    if parsed is None:
        raise ApiError(400, "Problems parsing JSON")
    if not isinstance(parsed, dict):
        raise ApiError(400, "Body should be a JSON object")
    return parsed
