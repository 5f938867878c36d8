"""The server as a process: its port, its signals, and how it goes."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
import uvicorn

from kubeci.app import Server, running
from kubeci.cli.connections import PatientProtocol
from kubeci.errors import ConfigurationError
from kubeci.redaction import Redaction
from kubeci.settings.config import Config
from kubeci.settings.options import Options
from kubeci.telemetry import Adopted, configure_logging

log = structlog.get_logger(__name__)


def run(options: Options, config: Config, warnings: Sequence[str]) -> None:
    """Serve until the process is told to stop; the warnings are logged first.

    Raises `ConfigurationError` when the options or the configuration cannot work.
    """
    configure_logging(options.log_format, redaction=Redaction(options.secrets))
    logging.basicConfig(handlers=[Adopted(logging.WARNING)])
    for warning in warnings:
        log.warning(warning)
    asyncio.run(_serve(options, config))


async def _serve(options: Options, config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then go gently: say so on `/status`, end requests, give work back."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with _listening(options.listen_host, options.listen_port) as bound:
        async with running(options, config) as server:
            await _serve_http(server, bound, options, stop)


async def _serve_http(server: Server, bound: socket.socket, options: Options, stop: asyncio.Event) -> None:
    settings = uvicorn.Config(
        server.web,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the pages alone believe a proxy, and only those that the settings name
        ws="none",
        http=PatientProtocol,
        timeout_graceful_shutdown=options.grace_requests,  # type: ignore[arg-type] # it is passed to asyncio.wait_for
    )
    listener = _Listener(settings)
    http = asyncio.create_task(listener.serve(sockets=[bound]))
    log.info("listening", host=options.listen_host, port=bound.getsockname()[1])
    await stop.wait()
    log.info("stopping", grace_seconds=options.grace_shutdown)
    server.going = True
    await asyncio.sleep(options.grace_shutdown)
    listener.should_exit = True
    await http


class _Listener(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`, which says that we are going before the port is closed."""
        yield


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio sets TCP_NODELAY only then; without it an answer may wait 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise ConfigurationError(f"--listen {host}:{port}: {error.strerror or error}") from error
        yield bound
