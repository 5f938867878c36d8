"""Fetch a file by https, for definitions that load it: no credentials, public addresses, and limits."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpcore

from kubeci import __version__
from kubeci.errors import NotFound, UpstreamError
from kubeci.fetch.addresses import is_public
from kubeci.fetch.pinned import Allow, NotPublic, PinnedBackend, Resolve, Resolver
from kubeci.model.module import ModuleFile
from kubeci.tracing import called

HTTPS_PORT = 443
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS: Mapping[bytes | str, bytes | str] = {
    "User-Agent": f"kubeci/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a fetch may take, and which ports it may go to."""

    ports: Collection[int] = (HTTPS_PORT,)
    seconds: float = 10.0
    """For all of it: redirects, and a server that sends a byte at a time."""
    max_bytes: int = 1_000_000
    redirects: int = 3
    concurrent: int = 8


@dataclass(frozen=True, slots=True)
class Reach:
    """How hosts become addresses, which of them are allowed, and whose certificates are believed."""

    resolve: Resolve = field(default_factory=Resolver)
    allow: Allow = is_public
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)


class WebModules:
    """Fulfils the port `WebFiles`. Each fetch has a connection of its own: there is nothing to close."""

    def __init__(self, limits: FetchLimits | None = None, reach: Reach | None = None) -> None:
        self._limits = limits or FetchLimits()
        self._reach = reach or Reach()
        self._places = asyncio.Semaphore(self._limits.concurrent)

    @asynccontextmanager
    async def _pool(self) -> AsyncIterator[httpcore.AsyncConnectionPool]:
        """Give a pool for one fetch; a connection that is kept could outlive the look at its address."""
        backend = PinnedBackend(self._reach.resolve, self._reach.allow)
        async with httpcore.AsyncConnectionPool(
            ssl_context=self._reach.tls, network_backend=backend, max_connections=1
        ) as pool:
            yield pool

    async def read(self, url: str) -> ModuleFile:
        """Fetch a text; `NotFound` for 404 and 410, UpstreamError with the reason for all else."""
        try:
            async with asyncio.timeout(self._limits.seconds), self._places, self._pool() as pool:
                content = await self._follow(pool, url)
        except TimeoutError:
            raise UpstreamError(f"took longer than {self._limits.seconds:g} seconds") from None
        except NotPublic as error:
            raise UpstreamError(str(error)) from error
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
            ssl.SSLError,
        ) as error:
            raise UpstreamError(
                f"the connection failed: {str(error)[:300] or type(error).__name__}"
            ) from error
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise UpstreamError("is no UTF-8 text") from None
        return ModuleFile(text, f"sha256:{hashlib.sha256(content).hexdigest()}")

    async def _follow(self, pool: httpcore.AsyncConnectionPool, url: str) -> bytes:
        for _ in range(self._limits.redirects + 1):
            self._check(url)
            began, status = time.monotonic(), 0
            try:
                async with pool.stream("GET", url, headers=HEADERS) as response:
                    status = response.status
                    if status not in REDIRECTS:
                        return await self._content(response)
                    target = _target(url, _Headers.of(response).location)
            finally:
                # Not its path, which may hold what only its author may know.
                called("web", f"GET https://{urlsplit(url).netloc}/…", status, time.monotonic() - began)
            url = target
        raise UpstreamError(f"redirects more than {self._limits.redirects} times")

    def _check(self, url: str) -> None:
        """Refuse what is not https on an allowed port, at the start and after each redirect."""
        try:
            parts = urlsplit(url)
            port = parts.port or HTTPS_PORT
        except ValueError:
            raise UpstreamError(f"leads to {url[:200]}, which is no address") from None
        if parts.scheme != "https" or not parts.hostname:
            raise UpstreamError(f"leads to {url[:200]}; only https is fetched")
        if parts.username is not None:
            raise UpstreamError("leads to an address with a user name")
        if port not in self._limits.ports:
            raise UpstreamError(
                f"leads to port {port}; the server's settings allow {_listed(self._limits.ports)}"
            )

    async def _content(self, response: httpcore.Response) -> bytes:
        if response.status in {404, 410}:
            raise NotFound(f"the server answered {response.status}", status=response.status)
        if response.status != 200:
            raise UpstreamError(f"the server answered {response.status}", status=response.status)
        headers = _Headers.of(response)
        if headers.encoding not in {"", "identity"}:
            raise UpstreamError(f"the server sends {headers.encoding[:50]}, which was not asked for")
        limit = self._limits.max_bytes
        content = bytearray()
        if headers.length <= limit:
            async for chunk in response.aiter_stream():
                content += chunk
                if len(content) > limit:
                    break
            else:
                return bytes(content)
        raise UpstreamError(f"has more than {limit:,} bytes")


@dataclass(frozen=True, slots=True)
class _Headers:
    location: str
    encoding: str
    length: int

    @classmethod
    def of(cls, response: httpcore.Response) -> Self:
        found = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
        length = found.get("content-length", "0")
        return cls(
            found.get("location", ""),
            found.get("content-encoding", "").strip().lower(),
            int(length) if length.isdecimal() else 0,
        )


def _target(url: str, location: str) -> str:
    if not location:
        raise UpstreamError("redirects to nowhere")
    try:
        location.encode("ascii")
        return urljoin(url, location)
    except ValueError:
        raise UpstreamError("redirects to what is no address") from None


def _listed(ports: Collection[int]) -> str:
    return ", ".join(map(str, sorted(ports)))
