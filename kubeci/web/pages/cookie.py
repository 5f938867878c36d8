"""The cookie of those who logged in with a token: who, until when, and a proof that we wrote it.

The server keeps nothing: the proof is keyed by the token's secret, so that a token that was changed or taken away ends it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from kubeci.settings.api import ApiToken

COOKIE = "kubeci"
LIFETIME = timedelta(hours=12)
LIMIT = 200
"""Characters of a cookie that are looked at; ours are shorter."""

_PURPOSE = b"kubeci pages cookie 1"


def written(token: ApiToken, now: datetime) -> str:
    """Give the cookie's value for somebody who showed a token now: `name:seconds:proof`."""
    expiry = _latest(now)
    return f"{token.name}:{expiry}:{_proof(token, expiry)}"


def read(value: str, tokens: Iterable[ApiToken], now: datetime) -> ApiToken | None:
    """Give the token that a cookie stands for; None: it is none of ours, it ended, or its token did."""
    parts = value.split(":") if len(value) <= LIMIT else []
    if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdecimal()):
        return None
    name, expiry, proof = parts[0], int(parts[1]), parts[2]
    if not now.timestamp() < expiry <= _latest(now):
        return None
    for token in tokens:
        if token.name == name and hmac.compare_digest(_proof(token, expiry).encode(), proof.encode()):
            return token
    return None


def _latest(now: datetime) -> int:
    return int((now + LIFETIME).timestamp())


def _proof(token: ApiToken, expiry: int) -> str:
    key = hmac.digest(token.secret, _PURPOSE, "sha256")
    return hmac.new(key, f"{token.name}:{expiry}".encode(), "sha256").hexdigest()
