"""The local GitHub: built, served on loopback, and driven by tests and the demo."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections import deque
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kubeci.local.github import (
    graphql,
    rest_app,
    rest_checks,
    rest_compare,
    rest_deployments,
    rest_git,
    rest_issues,
    rest_people,
    rest_pulls,
    rest_write,
)
from kubeci.local.github.api import Api, RecordedRequest, routes
from kubeci.local.github.app_manifest_apps import MadeApps
from kubeci.local.github.app_manifest_pages import AppPages
from kubeci.local.github.auth import App
from kubeci.local.github.calls import Services
from kubeci.local.github.deliveries import Deliveries, Delivery
from kubeci.local.github.events import RefUpdate
from kubeci.local.github.faults import Faults, Limits
from kubeci.local.github.http_backend import GitHosting
from kubeci.local.github.outbox import Outbox
from kubeci.local.github.page import Page
from kubeci.local.github.pages import Pages
from kubeci.local.github.pages_deployments import DeploymentPages
from kubeci.local.github.pages_issues import IssuePages
from kubeci.local.github.pages_pulls import PullPages
from kubeci.local.github.people import People
from kubeci.local.github.repositories import (
    read_push_report,
    write_hook_file,
)
from kubeci.local.github.state import Clock, State, utc_now
from kubeci.local.serving import serving
from kubeci.model.json import JsonObject

_HOOK_PATH = "/hooks/post-receive"


class LocalGitHub(People):
    """A GitHub on 127.0.0.1, an async context manager.

    `data` is the folder of the bare repositories, `app` the App that everything is sent to, `port` 0 a free port,
    `now` the clock. Inside, `base_url` is the address, and `webhook_url` may be set to the App's webhook.
    For tests there are `faults`, `limits`, `latency_seconds` and the recorded `requests`.
    """

    def __init__(
        self,
        data: Path,
        *,
        app: App,
        webhook_secret: str,
        port: int = 0,
        now: Clock = utc_now,
    ) -> None:
        state = State(app, now)
        self.deliveries = Deliveries(state, webhook_secret)
        super().__init__(state, Outbox(state, self.deliveries), data.resolve() / ".hook.json")
        self.limits = Limits()
        self.made_apps = MadeApps(state)
        self.services = Services(self.state, self.deliveries, self.events, self.limits, self.made_apps)
        self.api = Api(self.services)
        self._data = data.resolve()
        self._port = port
        self._hook_secret = secrets.token_hex(16)
        self._stack = AsyncExitStack()

    @property
    def webhook_url(self) -> str:
        """Give the address that deliveries go to; as long as it is empty, they fail as an unreachable one would."""
        return self.deliveries.url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.deliveries.url = url

    @property
    def faults(self) -> Faults:
        """Give the switches for failing answers."""
        return self.api.faults

    @property
    def requests(self) -> deque[RecordedRequest]:
        """Give the API requests that came, oldest first; the oldest of too many are forgotten."""
        return self.api.requests

    @property
    def latency_seconds(self) -> float:
        """Give the delay of every API answer."""
        return self.api.latency_seconds

    @latency_seconds.setter
    def latency_seconds(self, seconds: float) -> None:
        self.api.latency_seconds = seconds

    @property
    def app(self) -> App:
        """Give the App."""
        return self.state.app

    @property
    def base_url(self) -> str:
        """Give the address, `http://127.0.0.1:PORT`."""
        return self.state.base_url

    @property
    def api_url(self) -> str:
        """Give the REST address as an Enterprise Server has it, `…/api/v3`."""
        return f"{self.state.base_url}/api/v3"

    async def __aenter__(self) -> Self:
        """Start serving and delivering."""
        await asyncio.to_thread(self._data.mkdir, parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(serving(self._starlette(), port=self._port))
            self.state.base_url = url
            port = int(url.rpartition(":")[2])
            await asyncio.to_thread(write_hook_file, self._hook_file, port, _HOOK_PATH, self._hook_secret)
            stack.callback(self._hook_file.unlink, missing_ok=True)
            sending = asyncio.create_task(self.deliveries.run())
            stack.push_async_callback(_cancelled, sending)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop delivering and serving."""
        await self._stack.aclose()

    def _starlette(self) -> Starlette:
        page = Page(self)
        hosting = GitHosting(self.state, self._data)
        made = Starlette(
            routes=[
                Route(_HOOK_PATH, self._post_receive, methods=["POST"]),
                Route("/{owner}/{repo}.git/{rest:path}", hosting.endpoint, methods=["GET", "POST"]),
                *_api_routes(),
                *page.routes(),
                *AppPages(page, self.made_apps).routes(),
                *PullPages(page).routes(),
                *IssuePages(page).routes(),
                *DeploymentPages(page).routes(),
                *Pages(page, self.deliveries).routes(),
            ],
            # A page of another site must not get at this server by a name that leads to 127.0.0.1.
            exception_handlers={HTTPException: page.refuse},
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )
        made.state.api = self.api
        return made

    async def _post_receive(self, request: Request) -> Response:
        """Take the refs that a hook reports."""
        if not hmac.compare_digest(request.headers.get("x-secret", "").encode(), self._hook_secret.encode()):
            return Response(status_code=403)
        report = read_push_report(await request.body())
        repository = next((r for r in self.state.repositories.values() if str(r.path) == report.path), None)
        if repository is None:
            return Response(status_code=404)
        updates = [RefUpdate(*row) for row in report.updates]
        await self.events.pushed(repository, updates, self.state.user(report.pusher))
        return Response(status_code=204)

    def deliver(self, event: str, payload: JsonObject) -> Delivery:
        """Queue an event of the caller's making."""
        return self.deliveries.add(event, payload)

    async def settled(self) -> None:
        """Wait until all queued deliveries were sent."""
        await self.deliveries.settled()


@cache
def _api_routes() -> list[Route]:
    """Give the routes of the API, once for all servers: there are many, and each is a pattern to compile."""
    return routes(
        [
            *rest_app.OPERATIONS,
            *rest_checks.OPERATIONS,
            *rest_pulls.OPERATIONS,
            *rest_compare.OPERATIONS,
            *rest_people.OPERATIONS,
            *rest_deployments.OPERATIONS,
            *rest_issues.OPERATIONS,
            *rest_git.OPERATIONS,
            *rest_write.OPERATIONS,
            *graphql.OPERATIONS,
        ]
    )


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
