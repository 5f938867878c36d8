"""The way into the API server: every request is recorded, may fail on purpose, and must say who asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request

from kubeci.local.cluster.answers import refuse
from kubeci.local.cluster.status import ApiError
from kubeci.local.cluster.users import User, of_authorization

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from kubeci.local.cluster.cluster import LocalCluster
    from kubeci.local.cluster.faults import Fault

_OPEN = ("/healthz", "/livez", "/readyz", "/version")


@dataclass(slots=True)
class Asked:
    """A request that came: `user` is "" when nobody said who asks, `status` 0 while or when there is no answer."""

    method: str
    path: str
    query: str
    user: str = ""
    status: int = 0


class Door:
    """The ASGI application around the API server's own."""

    def __init__(self, cluster: LocalCluster, app: ASGIApp) -> None:
        self._cluster = cluster
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record, fail, authenticate, then pass on."""
        request = Request(scope, receive)
        user = of_authorization(self._cluster.users, request.headers.get("authorization", ""))
        asked = Asked(request.method, request.url.path, request.url.query, user.name if user else "")
        self._cluster.requests.append(asked)
        # ASGI knows no way to break a connection: uvicorn's `send` is a method of what holds the transport.
        scope["kubeci.transport"] = getattr(getattr(send, "__self__", None), "transport", None)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked.status = message["status"]
            await send(message)

        target = f"{asked.path}?{asked.query}" if asked.query else asked.path
        scope.setdefault("state", {})["user"] = user
        fault = self._cluster.faults.take(asked.method, target)
        if fault and await self._failed(fault, scope, receive, noted):
            return
        if user is None and (asked.path not in _OPEN or "authorization" in request.headers):
            await refuse(ApiError(401, "Unauthorized", "Unauthorized"))(scope, receive, noted)
            return
        if user and (name := request.headers.get("impersonate-user", "")):
            other = next((each for each in self._cluster.users if each.name == name), None)
            if not user.may("impersonate", "", "users"):
                why = f'users "{name}" is forbidden: User "{user.name}" cannot impersonate resource "users" in API group "" at the cluster scope'
                await refuse(ApiError(403, "Forbidden", why))(scope, receive, noted)
                return
            scope["state"]["user"] = other or User(name, allowed=False)
        await self._app(scope, receive, noted)

    async def _failed(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> bool:
        """Do to a request what the fault says; False: it goes on as usual."""
        if fault.after:
            await self._app(scope, receive, _unsent)
        await asyncio.sleep(fault.delay_seconds)
        if fault.drop:
            await cut(scope, receive)
        elif fault.status:
            await refuse(fault.error())(scope, receive, send)
        elif fault.cut_body:
            await self._app(scope, receive, partial(_half, scope, send))
        else:
            return False
        return True


async def _unsent(_message: Message) -> None:
    """Lose an answer."""


async def _half(scope: Scope, send: Send, message: Message) -> None:
    """Send an answer's head and the first half of its body, then break the connection."""
    if body := message.get("body"):
        await send({**message, "body": body[: len(body) // 2], "more_body": True})
        scope["kubeci.transport"].abort()
    elif message["type"] == "http.response.start":
        await send(message)


async def cut(scope: Scope, receive: Receive) -> None:
    """Break the connection under a request, as a dying server or network does."""
    transport: asyncio.Transport | None = scope["kubeci.transport"]
    if transport is not None:
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
