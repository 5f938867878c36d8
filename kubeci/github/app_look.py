"""What GitHub says of the App itself: its permissions, its installations, its webhook and what became of deliveries."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import msgspec

from kubeci import __version__
from kubeci.errors import UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.connection import Endpoint
from kubeci.github.errors import translate
from kubeci.github.hook_deliveries import NO_REPOSITORY, GitHubHookDeliveries
from kubeci.github.request import Request
from kubeci.model.attempt import Attempt

T = TypeVar("T")

PAGE = 100
PAGES = 10
"""Pages of installations that are read at most."""
DELIVERIES = 50
"""Newest deliveries that are looked at."""


class Owner(msgspec.Struct, frozen=True):
    """The account of an App or of an installation; an enterprise has no login."""

    login: str = ""
    type: str = "User"


class SeenApp(msgspec.Struct, frozen=True):
    """The App as GitHub knows it (docs.github.com/rest/apps/apps)."""

    id: int
    slug: str
    owner: Owner = Owner()
    permissions: dict[str, str] = {}
    events: tuple[str, ...] = ()


class SeenInstallation(msgspec.Struct, frozen=True):
    """An installation of the App, with the permissions that its owner accepted."""

    id: int
    html_url: str = ""
    account: Owner | None = None
    permissions: dict[str, str] = {}
    events: tuple[str, ...] = ()
    suspended_at: str | None = None


class Hook(msgspec.Struct, frozen=True):
    """The App's webhook (docs.github.com/rest/apps/webhooks); a `secret` is shown as asterisks, none not at all."""

    url: str = ""
    content_type: str = "form"
    insecure_ssl: str | float = "0"
    secret: str | None = None


class AppLook:
    """Reads what GitHub says of an App; the errors are those of `kubeci.errors`."""

    def __init__(self, app: GitHubApp) -> None:
        self._app = app

    async def app(self) -> SeenApp:
        """Read the App."""
        return await self._read("/app", SeenApp)

    async def installations(self) -> tuple[tuple[SeenInstallation, ...], bool]:
        """Read the installations, and say whether those are all."""
        found: list[SeenInstallation] = []
        for page in range(1, PAGES + 1):
            query = {"per_page": PAGE, "page": page}
            more = await self._read("/app/installations", tuple[SeenInstallation, ...], query)
            found += more
            if len(more) < PAGE:
                return tuple(found), True
        return tuple(found), False

    async def hook(self) -> Hook:
        """Read the webhook's configuration."""
        return await self._read("/app/hook/config", Hook)

    async def deliveries(self) -> tuple[Attempt, ...]:
        """Read the newest deliveries, newest first."""
        return (await GitHubHookDeliveries(self._app).page(length=DELIVERIES)).attempts

    async def _read(self, route: str, shape: type[T], query: dict[str, int] | None = None) -> T:
        request = Request("GET", route, query=query or {}, repeatable=True)
        answer: Any = await self._app.send_as_app(NO_REPOSITORY, request)
        try:
            return msgspec.convert(answer, shape)
        except msgspec.ValidationError as error:
            raise UpstreamError(f"GitHub's answer to GET {route} is of another shape: {error}") from error


async def github_time(endpoint: Endpoint) -> datetime:
    """Read GitHub's clock off an answer's Date header, with no credentials: a refusal carries it too.

    Raises `UpstreamError` when no answer comes, or none with a date.
    """
    call = "GET /app"
    timeout = httpx.Timeout(endpoint.answer_seconds, connect=endpoint.connect_seconds)
    headers = {"User-Agent": f"kubeci/{__version__}"}
    try:
        async with (
            httpx.AsyncClient(timeout=timeout, trust_env=endpoint.trust_env, verify=endpoint.tls) as client,
            client.stream("GET", f"{endpoint.base_url.rstrip('/')}/app", headers=headers) as answer,
        ):
            date = answer.headers.get("date", "")
    except httpx.HTTPError as error:
        raise translate(error, call=call, now=0.0) from error
    try:
        return parsedate_to_datetime(date)
    except ValueError as error:
        raise UpstreamError(f"GitHub's answer to {call} carries no date") from error
