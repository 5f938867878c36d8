"""Continue tokens of paged lists, as the API server writes and reads them."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from kubeci.local.cluster import gojson
from kubeci.local.cluster.status import bad_request

_VERSION = "meta.k8s.io/v1"
TODAY = -1  # the version of a token that goes on with what is there now, after its history has gone


@dataclass(frozen=True, slots=True)
class Page:
    """Where a list goes on: at version `version`, after the object `after` (namespace and name)."""

    version: int
    after: tuple[str, str]


def token(page: Page, namespace: str | None) -> str:
    """Write the token; a list of one namespace does not name it."""
    start = f"/{page.after[1]}" if namespace else "/".join(page.after)
    if page.version == TODAY:
        start = start.removeprefix("/")
    body = {"v": _VERSION, "rv": page.version, "start": f"{start}\0"}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode().rstrip("=")


def read(text: str, namespace: str | None) -> Page:
    """Read a token; raises ApiError 400 for what is none."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        body = gojson.parse(raw)
    except (binascii.Error, gojson.ParseError, ValueError) as error:
        why = str(error) if isinstance(error, gojson.ParseError) else "illegal base64 data at input byte 0"
        raise _invalid(why) from None
    if not isinstance(body, dict) or body.get("v") != _VERSION:
        raise _invalid("server does not recognize this encoded version")
    version, start = body.get("rv"), body.get("start")
    if not isinstance(version, int) or version == 0 or not isinstance(start, str) or not start:
        raise _invalid("incorrect encoded start resourceVersion")
    first, _, second = start.rstrip("\0").lstrip("/").rpartition("/")
    return Page(version, (namespace or first, second))


def _invalid(why: str) -> Exception:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")
