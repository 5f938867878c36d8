"""Answers of the API: JSON, never stored by anybody on the way, errors in one shape."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import msgspec
from starlette.responses import Response

from kubeci.errors import DefinitionError, KubeCIError, NotFound, RateLimited, UpstreamError
from kubeci.service.run_wish import Unfit, Why
from kubeci.web.api import shapes

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
RETRY_SECONDS = 10
MAX_WAIT_SECONDS = 3600


class Refused(Exception):
    """The request ends here with an answer of this status."""

    def __init__(
        self, status: int, body: shapes.Refusal | str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.body = shapes.Refusal(body) if isinstance(body, str) else body
        self.headers = headers
        super().__init__(self.body.message)

    def answer(self) -> Response:
        """Give the answer."""
        return answer(self.body, self.status, self.headers)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Give an answer of JSON; `body` is a struct of `shapes`, or bytes that are JSON already."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(content, status, {**HEADERS, **(headers or {})}, media_type="application/json")


def of_unfit(unfit: Unfit) -> Refused:
    """Turn a use case's refusal into the API's: 422 where the request's author can mend it, else 409."""
    where = unfit.where and shapes.Place(unfit.where.path, unfit.where.line, unfit.where.column)
    body = shapes.Refusal(
        unfit.reason, field=unfit.field or msgspec.UNSET, debug=unfit.debug, where=where or msgspec.UNSET
    )
    return Refused(422 if unfit.why is Why.CONTENT else 409, body)


def of_error(error: KubeCIError) -> Refused:
    """Turn an error into an answer: 422 for definitions, 404, 503 where trying again can help, else 502."""
    if isinstance(error, DefinitionError):
        return of_unfit(Unfit(str(error), where=error.where))
    if isinstance(error, NotFound):
        return Refused(404, str(error))
    if isinstance(error, RateLimited):
        wait = min(max(1, ceil(error.retry_after)), MAX_WAIT_SECONDS)
        return Refused(503, str(error), {"Retry-After": str(wait)})
    if isinstance(error, UpstreamError) and error.retryable:
        return Refused(503, str(error), {"Retry-After": str(RETRY_SECONDS)})
    return Refused(502, str(error))
