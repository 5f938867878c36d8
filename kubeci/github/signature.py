"""The proof that a webhook request comes from GitHub (docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries)."""

from __future__ import annotations

import hashlib
import hmac


def sign(secret: bytes, body: bytes) -> str:
    """Give the value of `X-Hub-Signature-256` for a raw request body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def verify(secret: bytes, body: bytes, header: str | bytes | None) -> bool:
    """Say whether `header` is the signature of the raw body; an empty secret signs nothing.

    Compares bytes, since `hmac.compare_digest` raises on a str beyond ASCII, and a header is whatever was sent.
    """
    if not secret or header is None:
        return False
    given = header if isinstance(header, bytes) else header.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(sign(secret, body).encode(), given)
