"""The App's JWT (docs.github.com/apps, "Generating a JSON Web Token (JWT) for a GitHub App")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt

BACK_SECONDS = 60
"""It is dated back by so much, as GitHub advises: clocks differ."""
LIFE_SECONDS = 540
"""GitHub takes none that lasts longer than ten minutes from now."""
USED_SECONDS = 480.0


class AppJwt:
    """Signs a JWT for the App and gives it for some minutes; `now` gives epoch seconds by GitHub's clock.

    githubkit signs by the machine's clock alone, which GitHub refuses when it is off by a minute.
    """

    def __init__(self, app_id: int, key: Any, now: Callable[[], float]) -> None:
        self._app_id = app_id
        self._key = key
        self._now = now
        self._text = ""
        self._signed_at = 0.0

    def get(self) -> str:
        """Give a JWT that is valid for some time to come."""
        now = self._now()
        # A clock that was set back or forth makes a new one, too.
        if not self._text or not 0 <= now - self._signed_at < USED_SECONDS:
            self._text, self._signed_at = self._sign(int(now)), now
        return self._text

    def drop(self) -> None:
        """Forget the JWT, which GitHub refused."""
        self._text = ""

    def _sign(self, now: int) -> str:
        claims = {"iss": str(self._app_id), "iat": now - BACK_SECONDS, "exp": now + LIFE_SECONDS}
        return jwt.encode(claims, self._key, algorithm="RS256")
