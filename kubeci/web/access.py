"""Who is asking: the bearer tokens of the HTTP API (contract, section 10)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from kubeci.settings.api import ApiToken

SCHEME = "bearer"


class Access:
    """Knows the tokens; framework-free, so that the API and the pages ask the same."""

    def __init__(self, tokens: Iterable[ApiToken]) -> None:
        self._tokens = [(hashlib.sha256(token.secret).digest(), token) for token in tokens if token.secret]

    @property
    def configured(self) -> bool:
        """Say whether there is any token at all."""
        return bool(self._tokens)

    def bearer(self, header: str) -> ApiToken | None:
        """Give the token of an `Authorization` header as HTTP brings it (latin-1); None: it is missing, odd or unknown."""
        scheme, _, secret = header.partition(" ")
        return self.secret(secret) if scheme.lower() == SCHEME else None

    def secret(self, secret: str) -> ApiToken | None:
        """Give the token with a secret as HTTP brings it, blanks around it cut; None: there is none.

        Digests are compared, and with all tokens: how long it takes tells nothing of a secret.
        """
        try:
            given = hashlib.sha256(secret.strip().encode("latin-1")).digest()
        except UnicodeEncodeError:
            return None
        found = None
        for digest, token in self._tokens:
            if hmac.compare_digest(digest, given):
                found = token
        return found
