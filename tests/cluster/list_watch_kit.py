from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from kubeci.cluster.client import Client
from kubeci.cluster.connect import connect
from kubeci.errors import UpstreamError
from kubeci.local.serving import serving

SILENCE = object()
"""In a watch's chunks: send nothing more, and keep the connection."""
BREAK = object()
"""In a watch's chunks: break the connection."""


def item(name: str, version: int, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version)}, **more}


def event(kind: str, obj: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def page(*items: dict[str, Any], version: int = 1, token: str = "") -> Response:
    return JSONResponse(
        {"metadata": {"resourceVersion": str(version), "continue": token}, "items": list(items)}
    )


def status(code: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"kind": "Status", "code": code, "message": f"no: {code}"}, code, headers=headers)


GONE = event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})


@dataclass
class Script:
    """An API server that answers lists and watches with what was prepared, then with an idle watch."""

    lists: list[Response] = field(default_factory=list)
    watches: list[Response | Iterable[object]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    problems: list[tuple[UpstreamError, float]] = field(default_factory=list)
    open: int = 0

    def versions(self) -> list[str]:
        """The versions that watches started from, "" for lists."""
        return [query.get("resourceVersion", "") for query in self.asked]

    async def answer(self, request: Request) -> Response:
        self.asked.append(dict(request.query_params))
        if "watch" not in request.query_params:
            return self.lists.pop(0)
        prepared = self.watches.pop(0) if self.watches else (SILENCE,)
        return prepared if isinstance(prepared, Response) else StreamingResponse(self._stream(prepared))

    async def _stream(self, chunks: Iterable[object]) -> AsyncIterator[bytes]:
        self.open += 1
        try:
            for chunk in chunks:
                if isinstance(chunk, bytes):
                    yield chunk
                elif chunk is BREAK:
                    # uvicorn closes a connection whose body stops before its announced end.
                    raise ConnectionAbortedError
                else:
                    await asyncio.Event().wait()
        finally:
            self.open -= 1

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        app = Starlette(routes=[Route("/things", self.answer)])
        async with serving(app) as url, connect(master=url, trust_env=False) as client:
            yield client
