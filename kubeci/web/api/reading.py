"""Read what a request brings: JSON bodies, queries, keys; what is wrong is refused with the field's name."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from starlette.requests import Request

from kubeci.web.api import shapes
from kubeci.web.api.answers import Refused
from kubeci.web.body import read_body

BODY_LIMIT = 5_000_000
KEY = re.compile(r"[!-~]{1,200}")
KEY_HEADER = "Idempotency-Key"

_NAMED = tuple(map(re.compile, (r"(?:required|unknown) field `([^`]*)`", r"`\$\.([^`.\[]+)", r"^`(\w+)` ")))
"""Where msgspec's sentences name the field: of a missing or an unknown one before its place, which stands last."""

T = TypeVar("T", bound=msgspec.Struct)


async def body_of(request: Request, shape: type[T]) -> T:
    """Read a JSON body; 413, 400 and 422 are refused."""
    body = await read_body(request, BODY_LIMIT)
    if body is None:
        raise Refused(413, f"the body is larger than {BODY_LIMIT:,} bytes")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, f"the body is no JSON: {error}") from error


def query_of(request: Request, shape: type[T]) -> T:
    """Read the query; what a shape does not know, or holds twice, is refused."""
    given = request.query_params.multi_items()
    values = dict(given)
    if len(values) < len(given):
        twice = next(name for name, _ in given if len(request.query_params.getlist(name)) > 1)
        raise Refused(422, shapes.Refusal("a parameter is given twice", field=twice[:100]))
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from error


def key_of(request: Request) -> str:
    """Give the key that makes a repeated request the same wish; empty: there is none."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return ""
    if not KEY.fullmatch(key):
        raise Refused(
            422, shapes.Refusal("it must be 1 to 200 ASCII characters without blanks", field=KEY_HEADER)
        )
    return key


def invalid(error: msgspec.ValidationError) -> Refused:
    """Refuse what does not fit a shape, with msgspec's words."""
    text = str(error)
    found = next(filter(None, (pattern.search(text) for pattern in _NAMED)), None)
    return Refused(422, shapes.Refusal(text[:500], field=found[1][:100] if found else msgspec.UNSET))
