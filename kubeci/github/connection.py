"""githubkit's client, kept open: one connection pool for the life of the process."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from githubkit import GitHubCore, UnauthAuthStrategy
from githubkit.cache import MemCacheStrategy

from kubeci import __version__
from kubeci.github.errors import SECONDARY_LIMIT_SECONDS, LeadsAwayError

API_VERSION = "2022-11-28"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a GitHub is and how patient we are with it; times are in seconds.

    `base_url` is the REST address: GitHub's, or `…/api/v3` of an Enterprise Server, whose GraphQL is at
    `…/api/graphql`. With `trust_env`, `HTTPS_PROXY` and `NO_PROXY` of the environment are honoured. `pauses` stand
    before the second, third, … try of a request that may be repeated; `limit_seconds` is how long to hold back where
    GitHub refuses without naming a time.
    """

    base_url: str
    trust_env: bool = True
    connect_seconds: float = 5.0
    answer_seconds: float = 20.0  # GitHub gives up on a request of its own after ten
    pauses: tuple[float, ...] = (0.3, 1.5)
    limit_seconds: float = SECONDARY_LIMIT_SECONDS
    tls: ssl.SSLContext | bool = True
    """Whose certificates are believed; True: those that come with the HTTP client."""

    @property
    def graphql_url(self) -> str:
        """Give the GraphQL address that belongs to the REST address."""
        rest = self.base_url.rstrip("/")
        return rest.removesuffix("/v3") + "/graphql" if rest.endswith("/api/v3") else rest + "/graphql"


class Connection(GitHubCore[UnauthAuthStrategy]):
    """A client that every task of the process shares; what authorises a request is sent with the request.

    githubkit keeps an entered client in a context variable, which tasks that are older than the entering do not
    see: they would open a connection for each request. Here it is an attribute.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(
            UnauthAuthStrategy(),
            base_url=endpoint.base_url,
            user_agent=f"kubeci/{__version__}",
            timeout=httpx.Timeout(endpoint.answer_seconds, connect=endpoint.connect_seconds),
            trust_env=endpoint.trust_env,
            ssl_verify=endpoint.tls,
            http_cache=False,
            cache_strategy=MemCacheStrategy(),
            auto_retry=False,
        )
        self._stack = AsyncExitStack()
        self._shared: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._shared = await self._stack.enter_async_context(super().get_async_client())
        self._shared.event_hooks = {"response": [_stay]}
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._shared = None
        await self._stack.aclose()

    @asynccontextmanager
    async def get_async_client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend the one client; githubkit asks for it at each request."""
        if self._shared is None:
            raise RuntimeError("the connection to GitHub is not open")
        yield self._shared


async def _stay(response: httpx.Response) -> None:
    """Follow a redirect within GitHub, as a renamed repository's, and no other: a request's body is not for strangers."""
    if not response.has_redirect_location:
        return
    here, there = response.request.url, response.request.url.join(response.headers["location"])
    if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
        raise LeadsAwayError("a redirect to another host")
