"""Serve a Starlette app on a loopback socket, inside the running event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

GRACE_SECONDS = 0.3  # for answers under way when the server stops; streams such as watches are cut then

TURNS = 5  # of the event loop, from accepting a connection to its protocol, and from an abort to the closed socket

_DROP = "kubeci.drop"


@asynccontextmanager
async def serving(app: ASGIApp, *, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` on 127.0.0.1 until the block ends, and yield its address, `http://127.0.0.1:PORT`.

    Port 0 takes a free one; a port in use raises OSError before anything is started. No signal handler
    is installed. At the end idle connections are closed, and open streams are dropped as a broken network
    would, so that the app sees a disconnect and not a cancellation.
    """
    # The protocol must be named: asyncio sets TCP_NODELAY on no other socket, which costs 40 ms a request.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise

    async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, _DROP: partial(_abort, server, scope.get("client"))}, receive, send)

    config = uvicorn.Config(
        droppable,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        proxy_headers=False,  # the pages alone believe a proxy, and only those that the settings name
        date_header=False,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # startup() and not serve(): serve() takes the process's signal handlers and polls ten times a second.
    await server.startup(sockets=[bound])
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        await _stop(server)
        bound.close()


def drop_connection(scope: Scope) -> None:
    """Close the connection of a request without an answer, as a broken network would."""
    scope[_DROP]()


def _abort(server: uvicorn.Server, client: tuple[str, int] | None) -> None:
    for connection in list(server.server_state.connections):
        if getattr(connection, "client", None) == client:
            connection.transport.abort()


async def _stop(server: uvicorn.Server) -> None:
    state = server.server_state
    # First no more are accepted, then the last accepted one gets its protocol, which it could not of a closed listener.
    for listener in server.servers:
        for bound in listener.sockets:
            asyncio.get_running_loop().remove_reader(bound.fileno())
    await _turns()
    for listener in server.servers:
        listener.close()
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        await asyncio.wait(set(state.tasks), timeout=GRACE_SECONDS)
    for connection in list(state.connections):
        connection.transport.abort()
    await _turns()  # lets the aborted transports report their loss
    if state.tasks:
        await asyncio.wait(set(state.tasks), timeout=GRACE_SECONDS)
    leftover = set(state.tasks)
    for task in leftover:
        task.cancel()
    await asyncio.gather(*leftover, return_exceptions=True)
    for listener in server.servers:
        await listener.wait_closed()
    await _turns()


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
