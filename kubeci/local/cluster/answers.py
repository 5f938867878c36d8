"""Answers with the headers and the JSON of the real API server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubeci.local.cluster.status import ApiError

HEADERS = {"Cache-Control": "no-cache, private"}
_BUFFERED = 2048  # Go's server knows the length of what fits into its buffer; larger answers come in chunks


def answer(body: Any, status: int = 200, *, warnings: Iterable[str] = ()) -> Response:
    """Answer with JSON: `body` is a value or JSON in bytes; every warning becomes a `Warning` header."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    response = Response(content + b"\n", status, HEADERS, media_type="application/json")
    if len(content) >= _BUFFERED:
        del response.headers["Content-Length"]
    for warning in warnings:
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        if warning.isprintable():  # the server, too, leaves out what would break a header
            response.raw_headers.append((b"warning", f'299 - "{quoted}"'.encode()))
    return response


def refuse(error: ApiError, *, warnings: Iterable[str] = ()) -> Response:
    """Answer with the Status object of a refusal."""
    response = answer(error.status(), error.code, warnings=warnings)
    response.headers.update(error.headers)
    return response
