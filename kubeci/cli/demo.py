"""`kubeci demo`: the main job on one machine."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console

from kubeci.cli.lazy import loading
from kubeci.errors import ConfigurationError
from kubeci.telemetry import configure_logging


@click.command(name="demo", context_settings={"max_content_width": 110})
@click.option(
    "--once", is_flag=True, help="End when the check-runs have; status 0 if all ended as the examples say."
)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the local GitHub's pages; default: a free one.",
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep repositories, store and settings here.",
)
def command(*, once: bool, port: int, data: Path | None) -> None:
    """Watch a push become a workflow and a check-run, with no cluster and no GitHub account.

    Starts a GitHub, a cluster and the real server on loopback, pushes three of the example projects, a change that
    a path rule skips and one from a fork, and tells what happens. Nothing is left behind when it ends, except in DIR.

    \b
    Examples:
      kubeci demo                 then open the address that it prints
      kubeci demo --once          for a script: ends by itself
      kubeci demo --data DIR      then `kubeci events --config DIR/settings.yaml`
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    if shutil.which("git") is None:
        raise ConfigurationError("the demo needs git: its repositories are real ones")
    configure_logging("console", level=logging.WARNING)
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubeci-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(asyncio.run(_run(folder.resolve(), port=port, once=once, keep=data is not None)))


async def _run(folder: Path, *, port: int, once: bool, keep: bool) -> int:
    with loading():
        from kubeci.local.demo import demo  # noqa: PLC0415 - no other command needs the local stack
        from kubeci.local.narrator import Narrator  # noqa: PLC0415 - likewise

    playing = asyncio.create_task(demo(folder, Narrator(Console()), port=port, once=once, keep=keep))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, playing.cancel)
    try:
        return 0 if await playing else 1
    except asyncio.CancelledError:
        return 1 if once else 0
    except TimeoutError:
        click.echo("kubeci: the check-runs did not end in time", err=True)
        return 1
    except OSError as error:
        raise ConfigurationError(f"--port {port}: {error.strerror or error}") from error
