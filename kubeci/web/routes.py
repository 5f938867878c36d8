"""The server's routes (contract, section 1)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kubeci.telemetry import Metrics
from kubeci.web.webhooks import WebhookPorts, Webhooks

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Timing:
    """Middleware that measures every answer by route, never by raw path: strangers choose paths."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how long its answer took."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            method = scope["method"] if scope["method"] in METHODS else "other"
            labels = self._metrics.http_requests.labels(route, method, str(status))
            labels.observe(time.perf_counter() - started)


def create_app(webhooks: WebhookPorts, further: Sequence[Route], *, going: Callable[[], bool]) -> Starlette:
    """Give the ASGI application, with `further` routes; `going` says whether the server is about to stop."""
    metrics = webhooks.metrics

    async def status(_request: Request) -> JSONResponse:
        code = 500 if going() else 200
        return JSONResponse({"service": "kube-ci", "status": code}, code)

    async def show_metrics(_request: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/webhooks/github", Webhooks(webhooks).__call__, methods=["POST"]),
            Route("/status", status),
            Route("/metrics", show_metrics),
            *further,
        ],
        middleware=[Middleware(Timing, metrics=metrics)],
    )
