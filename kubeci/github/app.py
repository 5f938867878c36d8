"""The GitHub App: it sends requests for a repository with a token that reaches no further."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from githubkit.auth.app import AppAuth
from githubkit.exception import GitHubException

from kubeci.errors import Forbidden, Invalid, RateLimited, UpstreamError
from kubeci.github.connection import API_VERSION, Connection, Endpoint
from kubeci.github.errors import translate
from kubeci.github.limits import Limits
from kubeci.github.private_key import read_private_key
from kubeci.github.request import Request
from kubeci.github.tokens import Tokens
from kubeci.model.json import JsonObject
from kubeci.model.report import Budget
from kubeci.model.repository import Repository

OnRequest: TypeAlias = Callable[[str, str, int, float], None]
"""Told of each HTTP request: method, route, status (0: no answer), seconds."""

GRAPHQL = "/graphql"
OLDER = re.compile(r'<([^>]*)>;\s*rel="next"')
MAX_ANSWER_BYTES = 32_000_000  # the largest context that is of use fits several times, escaped as JSON


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves that we are the App: its id and its RSA key in PEM form."""

    app_id: int
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What GitHub answered: the JSON, and the parameters that lead to the next page where there is one."""

    body: Any
    following: Mapping[str, str] = field(default_factory=dict)


def _unheard(_method: str, _route: str, _status: int, _seconds: float) -> None:
    """Listen to nothing."""


class GitHubApp:
    """Our App at one GitHub, entered once for the life of the process (`async with`).

    `now` gives epoch seconds; `on_request` is told of each HTTP request. Raises `ConfigurationError` for a key that is none.
    """

    def __init__(
        self,
        credentials: Credentials,
        endpoint: Endpoint,
        *,
        on_request: OnRequest = _unheard,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._connection = Connection(endpoint)
        self._endpoint = endpoint
        key: Any = read_private_key(
            credentials.private_key
        )  # PyJWT takes the text, or the key that it stands for
        self._auth = AppAuth(self._connection, credentials.app_id, key)
        self._on_request = on_request
        self.now = now
        self._limits = Limits(now)
        self._tokens = Tokens(self.send_as_app, now)
        self.app_id = credentials.app_id

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connection.__aexit__(exc_type, exc_value, traceback)

    def budget(self, repository: Repository) -> Budget:
        """Say what is left of the installation's REST requests, as of the last answer."""
        return self._limits.budget(repository.installation_id)

    async def send(self, repository: Repository, request: Request, *, reading: bool = False) -> Any:
        """Send a request with the repository's token, with `reading` one for its contents alone; give the answer's JSON.

        Repeatable requests are tried again when the connection fails or GitHub answers 5xx; others never,
        as they may have been done. Raises the errors of `kubeci.errors`.
        """
        token = await self._tokens.get(repository, reading=reading)
        try:
            return (await self._try(repository, request, f"token {token}")).body
        except Forbidden as error:
            if error.status != 401:
                raise
        # A refused token does nothing, so even a creation may be sent again: the App may have been reinstalled.
        self._tokens.drop(repository, token, reading=reading)
        token = await self._tokens.get(repository, reading=reading)
        return (await self._try(repository, request, f"token {token}")).body

    async def graphql(
        self, repository: Repository, query: str, variables: Mapping[str, object], *, reading: bool = False
    ) -> JsonObject:
        """Send a GraphQL query and give the whole answer, `data` and `errors`; a query only reads."""
        body: JsonObject = {"query": query, "variables": dict(variables)}
        answer = await self.send(
            repository, Request("POST", GRAPHQL, body=body, repeatable=True), reading=reading
        )
        if not isinstance(answer, dict):
            raise UpstreamError("GitHub's GraphQL gave no object", status=200, retryable=True)
        return answer

    async def send_as_app(self, repository: Repository, request: Request) -> JsonObject:
        """Send a request as the App itself, which may ask for its installations and their tokens alone."""
        answer: JsonObject = (await self.page_as_app(repository, request)).body
        return answer

    async def page_as_app(self, repository: Repository, request: Request) -> Answer:
        """Send the same, and give what leads to the next page too."""
        return await self._try(repository, request, f"Bearer {await self._auth.aget_jwt()}")

    async def _try(self, repository: Repository, request: Request, authorization: str) -> Answer:
        for pause in self._endpoint.pauses if request.repeatable else ():
            try:
                return await self._once(repository, request, authorization)
            except UpstreamError as error:
                if isinstance(error, RateLimited) or not error.retryable:
                    raise
            await asyncio.sleep(pause)
        return await self._once(repository, request, authorization)

    async def _once(self, repository: Repository, request: Request, authorization: str) -> Answer:
        api = "graphql" if request.route == GRAPHQL else "rest"
        self._limits.check(repository, api)
        url = self._endpoint.graphql_url if request.route == GRAPHQL else request.path(repository)
        headers = {"Authorization": authorization, "X-GitHub-Api-Version": API_VERSION}
        started = time.monotonic()
        status = 0
        try:
            response = await self._connection.arequest(
                request.method,
                url,
                params=dict(request.query) or None,
                json=request.body,
                headers=headers,
                stream=True,
            )
            status = response.status_code
            content = await _content(response.raw_response)
        except (GitHubException, httpx.HTTPError) as error:
            refusal = translate(
                error,
                call=f"{request.method} {request.route}",
                now=self.now(),
                limit_seconds=self._endpoint.limit_seconds,
            )
            status = refusal.status
            if isinstance(refusal, RateLimited):
                self._limits.close(repository, api, refusal.retry_after)
            raise refusal from error
        finally:
            self._on_request(request.method, request.route, status, time.monotonic() - started)
        self._limits.learn(repository, response.headers)
        return Answer(_json(content), _following(response.headers.get("link", "")))


def _following(link: str) -> dict[str, str]:
    """Read the parameters of the next page out of a Link header (docs.github.com/rest, "Using pagination")."""
    found = OLDER.search(link)
    query = parse_qs(urlsplit(found.group(1)).query) if found else {}
    return {name: values[0] for name, values in query.items()}


async def _content(response: httpx.Response) -> bytes:
    """Read an answer; a folder full of files could make it larger than our memory."""
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise Invalid(f"GitHub's answer has more than {MAX_ANSWER_BYTES:,} bytes", status=413)
    finally:
        await response.aclose()
    return bytes(content)


def _json(content: bytes) -> Any:
    if not content:
        return None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamError("GitHub's answer is not JSON", status=200, retryable=True) from error
