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
from githubkit.exception import GitHubException, RequestFailed

from kubeci.errors import Forbidden, Invalid, RateLimited, UpstreamError
from kubeci.github.app_jwt import AppJwt
from kubeci.github.clock import GitHubClock
from kubeci.github.connection import API_VERSION, Connection, Endpoint
from kubeci.github.errors import translate
from kubeci.github.limits import GRAPHQL as GRAPHQL_API
from kubeci.github.limits import REST, THE_APP, Limits, OnLimit
from kubeci.github.private_key import read_private_key
from kubeci.github.request import Request
from kubeci.github.tokens import Tokens
from kubeci.model.json import JsonObject
from kubeci.model.report import Budget
from kubeci.model.repository import Repository

OnRequest: TypeAlias = Callable[[str, str, int, float], None]
"""Told of each HTTP request: method, route, status (0: no answer), seconds."""

GRAPHQL = "/graphql"
UNAUTHORIZED = 401
OLDER = re.compile(r'<([^<>]*)>;\s*rel="next"')
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


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who asks: the installation with this id, or the App, and what proves it."""

    id: int
    authorization: str


def _unheard(_method: str, _route: str, _status: int, _seconds: float) -> None:
    """Listen to nothing."""


class GitHubApp:
    """Our App at one GitHub, entered once for the life of the process (`async with`).

    `now` gives epoch seconds; `on_request` is told of each HTTP request, `on_limit` of GitHub's limits. Raises
    `ConfigurationError` for a key that is none.
    """

    def __init__(
        self,
        credentials: Credentials,
        endpoint: Endpoint,
        *,
        on_request: OnRequest = _unheard,
        on_limit: OnLimit | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._connection = Connection(endpoint)
        self._endpoint = endpoint
        self._on_request = on_request
        self.now = GitHubClock(now)
        # PyJWT takes the text, or the key that it stands for.
        self._jwt = AppJwt(credentials.app_id, read_private_key(credentials.private_key), self.now)
        self._limits = Limits(self.now, on_limit) if on_limit else Limits(self.now)
        self._tokens = Tokens(self.send_as_app, self.now)
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
            return await self._with(token, repository, request)
        except Forbidden as error:
            if error.status != UNAUTHORIZED:
                raise
        # A refused token does nothing, so even a creation may be sent again: the App may have been reinstalled.
        self._tokens.drop(repository, token, reading=reading)
        token = await self._tokens.get(repository, reading=reading)
        try:
            return await self._with(token, repository, request)
        except Forbidden as error:
            if error.status != UNAUTHORIZED:
                raise
            # It was made a moment ago, so that GitHub contradicts itself, and will not for long.
            self._tokens.drop(repository, token, reading=reading)
            raise UpstreamError(str(error), status=UNAUTHORIZED, retryable=True) from error

    async def _with(self, token: str, repository: Repository, request: Request) -> Any:
        caller = _Caller(repository.installation_id, f"token {token}")
        return (await self._try(caller, repository, request)).body

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
        """Send the same, and give what leads to the next page too.

        Where GitHub refuses the App itself, work is put off: an operator who mends that has lost nothing.
        """
        for last in (False, True):
            off = self.now.off_seconds
            try:
                return await self._try(_Caller(THE_APP, f"Bearer {self._jwt.get()}"), repository, request)
            except Forbidden as error:
                if error.status != UNAUTHORIZED:
                    raise
                self._jwt.drop()
                if last or self.now.off_seconds == off:
                    raise UpstreamError(str(error), status=UNAUTHORIZED, retryable=True) from error
        raise AssertionError("the last try ends in one way or the other")

    async def _try(self, caller: _Caller, repository: Repository, request: Request) -> Answer:
        for pause in self._endpoint.pauses if request.repeatable else ():
            try:
                return await self._once(caller, repository, request)
            except UpstreamError as error:
                if isinstance(error, RateLimited) or not error.retryable:
                    raise
            await asyncio.sleep(pause)
        return await self._once(caller, repository, request)

    async def _once(self, caller: _Caller, repository: Repository, request: Request) -> Answer:
        api = GRAPHQL_API if request.route == GRAPHQL else REST
        self._limits.check(caller.id, api)
        url = self._endpoint.graphql_url if request.route == GRAPHQL else request.path(repository)
        headers = {"Authorization": caller.authorization, "X-GitHub-Api-Version": API_VERSION}
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
            self._learn(caller, api, refusal, error)
            raise refusal from error
        finally:
            self._on_request(request.method, request.route, status, time.monotonic() - started)
        self._limits.learn(caller.id, response.headers)
        return Answer(_json(content), _following(response.headers.get("link", "")))

    def _learn(
        self, caller: _Caller, api: str, refusal: UpstreamError, error: GitHubException | httpx.HTTPError
    ) -> None:
        """Learn from a refusal: what is left, how long to wait, what time it is."""
        headers = error.response.raw_response.headers if isinstance(error, RequestFailed) else {}
        if refusal.status != UNAUTHORIZED:  # which tells of the budget of our address
            self._limits.learn(caller.id, headers)
        elif caller.id == THE_APP:
            self.now.set_by(headers.get("date", ""))
        if isinstance(refusal, RateLimited):
            self._limits.close(caller.id, api, refusal.retry_after)


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
