"""What stands before the replicas, as a Kubernetes service does: one after the other, and 502 for one that is dead."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from types import TracebackType
from typing import Self

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

ANSWER_SECONDS = 60.0
_PASSED = ("content-type", "authorization", "idempotency-key")


class Front:
    """Passes requests on, an async context manager; `app` is what is served."""

    def __init__(self, ports: Sequence[int]) -> None:
        """Choose among these ports of 127.0.0.1."""
        self._next = cycle(ports)
        self._client = httpx.AsyncClient(
            trust_env=False,
            verify=False,
            timeout=ANSWER_SECONDS,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self.app = Starlette(routes=[Route("/{path:path}", self._pass, methods=["GET", "POST"])])

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        await self._client.aclose()

    async def _pass(self, request: Request) -> Response:
        headers = {
            name: text for name, text in request.headers.items() if name in _PASSED or name.startswith("x-")
        }
        url = f"http://127.0.0.1:{next(self._next)}/{request.path_params['path']}"
        try:
            answer = await self._client.request(
                request.method, url, content=await request.body(), headers=headers
            )
        except httpx.TransportError as error:
            return PlainTextResponse(f"{type(error).__name__}\n", 502)
        kind = answer.headers.get("content-type", "text/plain")
        return Response(answer.content, answer.status_code, media_type=kind)
