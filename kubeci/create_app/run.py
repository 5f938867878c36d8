"""Serve the pages on loopback until the App is made, or nobody makes it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from kubeci.create_app.handshake import Handshake, Plan
from kubeci.create_app.made import Made
from kubeci.create_app.registration import reach, register
from kubeci.errors import ConfigurationError

GRACE_SECONDS = 60
"""How long an exchange with GitHub and the cluster that is under way may take when the command ends."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where to serve (0: a free port), how long, and what ends it early; `opened` is told the first page's address."""

    opened: Callable[[str], None]
    port: int = 0
    timeout_seconds: float = 900.0
    stop: asyncio.Event = field(default_factory=asyncio.Event)


async def create_app(plan: Plan, serving: Serving) -> Made:
    """Lead somebody through the making of an App, and keep its credentials.

    Raises `ConfigurationError` with a sentence that says what to do.
    """
    await plan.destination.check()
    await reach(plan.wish.github_url)
    with _bound(serving.port) as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        handshake = Handshake(plan, origin, partial(register, plan.wish.github_url))
        async with _served(handshake.app(), listener):
            serving.opened(handshake.address)
            stopped = asyncio.ensure_future(serving.stop.wait())
            ends: set[asyncio.Future[Any]] = {handshake.made, stopped}
            await asyncio.wait(ends, timeout=serving.timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
        # Leaving the block lets an exchange that is under way end: the App may be made after all.
        if handshake.made.done():
            return handshake.made.result()
    if handshake.begun:
        raise ConfigurationError(f"stopped while GitHub answered; {handshake.way_out}")
    why = "stopped" if serving.stop.is_set() else "nobody agreed to the App in time"
    raise ConfigurationError(f"{why}: no App was made here; run kubeci create-app again")


@asynccontextmanager
async def _served(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the command."""
        yield


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    # Named, because asyncio sets TCP_NODELAY only then.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError as error:
            raise ConfigurationError(f"--port {port}: {error.strerror or error}; name another one") from error
        yield listener
