"""Connections that go to an address that was looked at, and to no other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

import httpcore

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""Gives the IP addresses of a host."""
Allow: TypeAlias = Callable[[str], bool]
"""Says whether an IP address may be connected to."""


class NotPublic(Exception):
    """A host has an address that may not be connected to."""


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a host itself, looks at every address, and connects to one of those: a second answer of the DNS is never asked for.

    TLS is made on top of it by the caller, for the host's name, so that the certificate is the host's all the same.
    """

    def __init__(self, resolve: Resolve, allow: Allow) -> None:
        self._resolve = resolve
        self._allow = allow
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the host's first address, once all of them are found allowed; `NotPublic` otherwise."""
        addresses = await self._resolve(host.strip("[]"), port)
        if not addresses:
            raise httpcore.ConnectError("the host has no address")
        for address in addresses:
            if not self._allow(address):
                raise NotPublic(f"{host} has the address {address}, which is not public")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)


class Resolver:
    """Asks the system's resolver, in threads of its own: names that never answer must not keep others of the server waiting."""

    def __init__(self, threads: int = 4) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Give a host's addresses, each once; `ConnectError` when there is no such host."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the host cannot be resolved ({error})") from error
        # IPv4 first: not every cluster has a way out for IPv6.
        found.sort(key=lambda entry: entry[0] != socket.AF_INET)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))
