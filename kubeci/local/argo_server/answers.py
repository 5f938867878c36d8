"""argo-server's answers: JSON, and refusals as grpc-gateway writes them."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec
from starlette.responses import Response

from kubeci.errors import KubeCIError
from kubeci.local.cluster.status import ApiError

UNKNOWN, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED, INTERNAL, UNAUTHENTICATED = 2, 3, 5, 12, 13, 16
# google.rpc.Code to HTTP, grpc-gateway's own table
_HTTP = MappingProxyType(
    {1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 12: 501, 13: 500, 14: 503, 16: 401}
)
# What the API server answered, as argo-server passes it on
_OF_API_SERVER = MappingProxyType(
    {400: 3, 401: 16, 403: 7, 404: 5, 408: 1, 409: 6, 429: 8, 501: 12, 503: 14, 504: 4}
)


class RefusedError(KubeCIError):
    """A request that argo-server refuses; `code` is a google.rpc.Code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def answer(body: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def refuse(error: RefusedError) -> Response:
    """Answer with a refusal."""
    return answer({"code": error.code, "message": str(error)}, _HTTP[error.code])


def refuse_stream(error: RefusedError) -> Response:
    """Answer a stream's request with a refusal, which says more."""
    status = HTTPStatus(_HTTP[error.code])
    words = {
        "grpc_code": error.code,
        "http_code": status,
        "message": str(error),
        "http_status": status.phrase,
    }
    return answer({"error": words}, status)


def of_api_server(error: ApiError) -> RefusedError:
    """Turn what the API server refused into argo-server's refusal."""
    code = _OF_API_SERVER.get(error.code, INTERNAL if error.code >= 500 else INVALID_ARGUMENT)
    return RefusedError(code, error.message)
