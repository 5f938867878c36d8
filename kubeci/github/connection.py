"""githubkit's client, kept open: one connection pool for the life of the process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

import httpx
from githubkit import GitHubCore, UnauthAuthStrategy
from githubkit.cache import MemCacheStrategy

from kubeci import __version__

API_VERSION = "2022-11-28"
# GitHub gives up on a request of its own after ten seconds.
TIMEOUT = httpx.Timeout(connect=5.0, read=20.0, write=20.0, pool=30.0)


class Connection(GitHubCore[UnauthAuthStrategy]):
    """A client that every task of the process shares; what authorises a request is sent with the request.

    githubkit keeps an entered client in a context variable, which tasks that are older than the entering do not
    see: they would open a connection for each request. Here it is an attribute.
    """

    def __init__(self, base_url: str, *, trust_env: bool, timeout: httpx.Timeout = TIMEOUT) -> None:
        super().__init__(
            UnauthAuthStrategy(),
            base_url=base_url,
            user_agent=f"kubeci/{__version__}",
            timeout=timeout,
            trust_env=trust_env,
            http_cache=False,
            cache_strategy=MemCacheStrategy(),
            auto_retry=False,
        )
        self._stack = AsyncExitStack()
        self._shared: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._shared = await self._stack.enter_async_context(super().get_async_client())
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
