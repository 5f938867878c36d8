"""One address of the API: who asks, which method, and every refusal as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from kubeci.errors import KubeCIError
from kubeci.settings.api import ApiToken, Verb
from kubeci.web.access import Access
from kubeci.web.api.answers import Refused, of_error

Handler: TypeAlias = Callable[[Request, ApiToken], Awaitable[ASGIApp]]
"""Gives the answer to a token's request; raises `Refused` and the errors of `kubeci.errors`."""

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kubeci"'}
NO_TOKENS = "no token is configured, so nobody may use the API: the settings file names them in `api.tokens`"
NO_TOKEN = "send a token of the settings file's `api.tokens`: `Authorization: Bearer SECRET`"  # noqa: S105 - none
UNKNOWN = "the token is unknown"


class Resource:
    """An ASGI application for one path, with a handler for each method."""

    def __init__(self, access: Access, handlers: Mapping[str, Handler]) -> None:
        self._access = access
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        try:
            answer = await self._answer(Request(scope, receive))
        except Refused as refused:
            answer = refused.answer()
        except KubeCIError as error:
            answer = of_error(error).answer()
        except ClientDisconnect:
            answer = Refused(499, "the client went away").answer()
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        handler = self._handlers.get(request.method)
        if handler is None:
            allowed = {"Allow": ", ".join(sorted(self._handlers))}
            raise Refused(405, f"{request.method[:20]} is not allowed here", allowed)
        return await handler(request, self._token(request))

    def _token(self, request: Request) -> ApiToken:
        header = request.headers.get("authorization", "")
        token = self._access.bearer(header)
        if token is None:
            message = UNKNOWN if header else NO_TOKEN
            raise Refused(401, message if self._access.configured else NO_TOKENS, CHALLENGE)
        return token


def require(token: ApiToken, verb: Verb, full_name: str) -> None:
    """Refuse with 403 what a token may not do in the repository `owner/name`."""
    if not token.may(verb, full_name):
        raise Refused(403, f"the token `{token.name}` may not {verb} in {full_name}")


class Nowhere:
    """Every address below `/api/` that is none."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404."""
        await Refused(404, "there is nothing here; see /api/openapi.json").answer()(scope, receive, send)
