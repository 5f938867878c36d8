"""Installation tokens, one a repository, kept while they last (docs.github.com/apps, installation access tokens).

A token is narrowed to the repository it is used for, so that a mistake or a leak reaches no other: that costs one
request a repository and hour, of the 2,000 an hour that an installation may make. Its permissions are the App's:
asking for one the App lacks would refuse the whole token. A token for a repository that is not the build's own may only
read contents, which every App of ours may. A repository without a name stands for the whole installation, whose
repositories may then be listed, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kubeci.errors import Forbidden, Invalid, NotFound, NoToken
from kubeci.github.request import Request
from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository

ROUTE = "/app/installations/{installation_id}/access_tokens"
MARGIN_SECONDS = 300.0  # a token is not used in its last minutes: requests take time, clocks differ


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    expires_at: float


_Key: TypeAlias = tuple[Repository, bool]
"""A repository, and whether the token only reads its contents."""


class Tokens:
    """Gives tokens and forgets them; `ask` sends a request as the App itself, `now` is in epoch seconds."""

    def __init__(
        self, ask: Callable[[Repository, Request], Awaitable[JsonObject]], now: Callable[[], float]
    ) -> None:
        self._ask = ask
        self._now = now
        self._tokens: dict[_Key, _Token] = {}
        self._locks: dict[_Key, asyncio.Lock] = {}

    async def get(self, repository: Repository, *, reading: bool = False) -> str:
        """Give a token for a repository, with `reading` one for its contents alone.

        Many tasks that ask at once cost one request.
        """
        key = repository, reading
        async with self._locks.setdefault(key, asyncio.Lock()):
            token = self._tokens.get(key)
            if token is None or token.expires_at - MARGIN_SECONDS <= self._now():
                self._drop_expired()
                token = await self._fetch(repository, reading=reading)
                self._tokens[key] = token
            return token.text

    def drop(self, repository: Repository, text: str, *, reading: bool = False) -> None:
        """Forget a token that GitHub refused, unless another has taken its place."""
        token = self._tokens.get((repository, reading))
        if token is not None and token.text == text:
            del self._tokens[repository, reading]

    async def _fetch(self, repository: Repository, *, reading: bool) -> _Token:
        body: JsonObject = {"repositories": [repository.name]}
        if not repository.name:
            body = {"permissions": {"metadata": "read"}}
        elif reading:
            body["permissions"] = {"contents": "read"}
        request = Request(
            "POST",
            ROUTE,
            parameters={"installation_id": repository.installation_id},
            body=body,
            repeatable=True,  # a token too many does no harm
        )
        try:
            answer = await self._ask(repository, request)
        except NotFound as error:
            raise NoToken(
                f"the App is not installed as {repository.installation_id}: {error}", status=404
            ) from error
        except Invalid as error:
            raise NoToken(f"the App has no access to {repository.full_name}: {error}", status=422) from error
        except Forbidden as error:
            raise NoToken(str(error), status=error.status, public=error.public) from error
        return _Token(answer["token"], datetime.fromisoformat(answer["expires_at"]).timestamp())

    def _drop_expired(self) -> None:
        now = self._now()
        for key in [key for key, token in self._tokens.items() if token.expires_at <= now]:
            del self._tokens[key]
            lock = self._locks.get(key)
            if lock is not None and not lock.locked():
                del self._locks[key]
