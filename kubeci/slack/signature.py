"""The proof that a request comes from Slack, and just now (docs.slack.dev, "Verifying requests from Slack").

Not slack-sdk's `SignatureVerifier`: it raises on a timestamp that is no number, on a signature beyond ASCII and on a body
that is not UTF-8, and all of that is what strangers send.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

AGE_LIMIT_SECONDS = 300
"""How far a request's timestamp may be from our clock, before or after it."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Give the value of `X-Slack-Signature` for a raw request body; `timestamp` is in epoch seconds."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()


def verify(secret: bytes, body: bytes, timestamp: str, signature: str, now: datetime) -> bool:
    """Say whether `signature` fits the raw body and was made at most five minutes from `now`.

    `timestamp` and `signature` are the headers `X-Slack-Request-Timestamp` and `X-Slack-Signature` as they came. An empty
    secret signs nothing.
    """
    if not secret or not _TIMESTAMP.fullmatch(timestamp):
        return False
    if abs(now.timestamp() - int(timestamp)) > AGE_LIMIT_SECONDS:
        return False
    # Bytes: `hmac.compare_digest` raises on a str beyond ASCII.
    given = signature.encode("utf-8", "replace")
    return hmac.compare_digest(sign(secret, timestamp, body).encode(), given)
