"""Installation tokens, one a repository, kept while they last (docs.github.com/apps, installation access tokens).

A token is narrowed to the repository it is used for, so that a mistake or a leak reaches no other: that costs one
request a repository and hour, of the 2,000 an hour that an installation may make. Its permissions are the App's:
asking for one the App lacks would refuse the whole token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from kubeci.errors import Forbidden, Invalid, NotFound
from kubeci.github.request import Request
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository

ROUTE = "/app/installations/{installation_id}/access_tokens"
MARGIN_SECONDS = 300.0  # a token is not used in its last minutes: requests take time, clocks differ


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    expires_at: float


class Tokens:
    """Gives tokens and forgets them; `ask` sends a request as the App itself, `now` is in epoch seconds."""

    def __init__(
        self, ask: Callable[[Repository, Request], Awaitable[JsonObject]], now: Callable[[], float]
    ) -> None:
        self._ask = ask
        self._now = now
        self._tokens: dict[Repository, _Token] = {}
        self._locks: dict[Repository, asyncio.Lock] = {}

    async def get(self, repository: Repository) -> str:
        """Give a token for a repository; many tasks that ask at once cost one request."""
        async with self._locks.setdefault(repository, asyncio.Lock()):
            token = self._tokens.get(repository)
            if token is None or token.expires_at - MARGIN_SECONDS <= self._now():
                self._drop_expired()
                token = await self._fetch(repository)
                self._tokens[repository] = token
            return token.text

    def drop(self, repository: Repository, text: str) -> None:
        """Forget a token that GitHub refused, unless another has taken its place."""
        token = self._tokens.get(repository)
        if token is not None and token.text == text:
            del self._tokens[repository]

    async def _fetch(self, repository: Repository) -> _Token:
        request = Request(
            "POST",
            ROUTE,
            parameters={"installation_id": repository.installation_id},
            body={"repositories": [repository.name]},
            repeatable=True,  # a token too many does no harm
        )
        try:
            answer = await self._ask(repository, request)
        except NotFound as error:
            raise Forbidden(
                f"the App is not installed as {repository.installation_id}: {error}", status=404
            ) from error
        except Invalid as error:
            raise Forbidden(
                f"the App has no access to {repository.full_name}: {error}", status=422
            ) from error
        return _Token(answer["token"], datetime.fromisoformat(answer["expires_at"]).timestamp())

    def _drop_expired(self) -> None:
        now = self._now()
        for repository in [key for key, token in self._tokens.items() if token.expires_at <= now]:
            del self._tokens[repository]
            lock = self._locks.get(repository)
            if lock is not None and not lock.locked():
                del self._locks[repository]
