"""The pages, and what they lead to: a proposal to GitHub, and the App that GitHub's code stands for."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kubeci.create_app.destination import Destination, rescue
from kubeci.create_app.made import Made
from kubeci.create_app.pages import Pages
from kubeci.create_app.registered import Registered
from kubeci.create_app.registration import CODE
from kubeci.create_app.secret import SecretName, secret_of
from kubeci.create_app.wish import Wish, read_webhook
from kubeci.errors import ConfigurationError, KubeCIError
from kubeci.web.body import read_body

FORM_LIMIT = 8 * 1024
FORM_FIELDS = 10

Register: TypeAlias = Callable[[str], Awaitable[Registered]]
"""Exchanges a code for the App's credentials."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made, and where its credentials go."""

    wish: Wish
    secret: SecretName
    destination: Destination


class Handshake:
    """One App's making; `made` ends with it, or with the error that the command ends with."""

    def __init__(self, plan: Plan, origin: str, register: Register) -> None:
        """`origin` is the address we are served at, without a path."""
        self.made: asyncio.Future[Made] = asyncio.get_running_loop().create_future()
        self._plan = plan
        self._wish = plan.wish
        self._register = register
        # Others on this machine reach our port too; what they cannot guess they cannot open.
        self._base = f"/{secrets.token_urlsafe(12)}"
        self._origin = origin
        self._state = secrets.token_urlsafe(32)
        self._pages = Pages(plan.wish)

    @property
    def address(self) -> str:
        """Give the address of the first page."""
        return f"{self._origin}{self._base}/"

    def app(self) -> Starlette:
        """Give the routes; a name that somebody else made lead to this machine is refused."""
        return Starlette(
            routes=[
                Route(f"{self._base}/", self._first),
                Route(f"{self._base}/webhook", self._webhook, methods=["POST"]),
                Route(f"{self._base}/created", self._created),
            ],
            exception_handlers={HTTPException: self._absent},
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )

    async def _first(self, request: Request) -> Response:
        """Show what is going to be made, or ask for the webhook's address first."""
        if not self._wish.webhook_url or "change" in request.query_params:
            return self._pages.ask(self._wish.webhook_url)
        manifest = self._wish.manifest(f"{self._origin}{self._base}/created")
        return self._pages.review(
            self._wish,
            self._plan.destination.place,
            msgspec.json.encode(manifest).decode(),
            self._wish.form_address(self._state),
        )

    async def _webhook(self, request: Request) -> Response:
        """Take the webhook's address."""
        given = await _field(request, "webhook_url")
        try:
            url = read_webhook(given, github=self._wish.github)
        except ConfigurationError as error:
            return self._pages.ask(given, str(error))
        self._wish = replace(self._wish, webhook_url=url)
        return RedirectResponse(f"{self._base}/", 303, headers=self._pages.headers)

    async def _created(self, request: Request) -> Response:
        """Take GitHub's code, make the Secret, and say what comes next."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        if not self._state or not hmac.compare_digest(state.encode(), self._state.encode()):
            # Any page can lead a browser here: that must not end the command.
            return self._pages.message(403, "That was not for this page", _STATE, back=True)
        if not CODE.fullmatch(code):
            return self._pages.message(400, "GitHub sent no code", _NO_CODE, back=True)
        self._state = ""
        try:
            made = await self._make(code)
        except Exception as error:
            self.made.set_exception(error)
            if not isinstance(error, KubeCIError):
                raise
            return self._pages.message(502, "The App's credentials are not kept", str(error))
        self.made.set_result(made)
        return self._pages.made(made)

    async def _make(self, code: str) -> Made:
        try:
            app = await self._register(code)
        except KubeCIError as error:
            raise ConfigurationError(f"{error}; {self.way_out}") from error
        secret = secret_of(self._plan.secret, app)
        try:
            await self._plan.destination.keep(secret)
        except (KubeCIError, OSError) as error:
            # GitHub tells the key once only.
            path = await asyncio.to_thread(rescue, secret)
            raise ConfigurationError(
                f"{self._plan.destination.place}: {_reason(error)}; the App {app.slug} is made, and its Secret is in "
                f"{path}: apply that, and remove it"
            ) from error
        return Made.of(app, self._wish, self._plan.destination)

    @property
    def begun(self) -> bool:
        """Say whether GitHub's code came."""
        return not self._state

    @property
    def way_out(self) -> str:
        """Say what to do when the credentials of an App that may be made are lost."""
        return (
            f"look whether {self._wish.github_host} lists the App among those of "
            f"{self._wish.org or 'your account'}, delete it there, and run kubeci create-app again"
        )

    async def _absent(self, _request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        return self._pages.message(
            status, "There is nothing here", "Open the address that kubeci create-app printed."
        )


_STATE = "GitHub's answer belongs to another run of kubeci create-app, or was used before. Begin again on the first page of this run."
_NO_CODE = "Begin again on the first page, and agree on GitHub's page."


def _reason(error: KubeCIError | OSError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


async def _field(request: Request, name: str) -> str:
    body = await read_body(request, FORM_LIMIT)
    if body is None:
        raise HTTPException(413)
    try:
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=FORM_FIELDS)
    except ValueError:
        raise HTTPException(400) from None
    return fields.get(name, [""])[0]
