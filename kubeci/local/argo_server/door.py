"""The way into the local argo-server: who brings no token stays out, and a request may fail on purpose."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubeci.local.argo_server import artifacts
from kubeci.local.argo_server.answers import UNAUTHENTICATED, RefusedError, of_api_server, refuse
from kubeci.local.cluster.faults import Fault, Faults
from kubeci.local.cluster.users import User, of_authorization
from kubeci.local.serving import drop_connection


class Door:
    """The ASGI application around argo-server's own."""

    def __init__(self, user: User, faults: Faults, app: ASGIApp) -> None:
        self._user = user
        self._faults = faults
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fail, authenticate, then pass on."""
        request = Request(scope, receive)
        fault = self._faults.take(request.method, request.url.path)
        if fault is not None and await self._failed(fault, scope, receive, send):
            return
        app = self._app
        if of_authorization((self._user,), request.headers.get("authorization", "")) is None:
            app = _stranger(request.url.path)
        await app(scope, receive, send)

    async def _failed(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> bool:
        """Do what the fault wants; False: the request goes on as usual."""
        await asyncio.sleep(fault.delay_seconds)
        if fault.after:
            await self._app(scope, receive, _unheard)
        if fault.drop:
            drop_connection(scope)
        elif fault.status:
            await refuse(of_api_server(fault.error()))(scope, receive, send)
        return fault.drop or fault.status > 0


def _stranger(path: str) -> Response:
    if path.startswith("/artifacts/"):
        return artifacts.refuse(HTTPStatus.UNAUTHORIZED)
    return refuse(RefusedError(UNAUTHENTICATED, "token not valid"))


async def _unheard(_: Message) -> None:
    """Take an answer that gets lost."""
