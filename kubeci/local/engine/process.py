"""A command as a process group of its own: its output passed on as it comes, its end certain."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kubeci.local.engine.uninterrupted import uninterrupted

GRACE_SECONDS = 2.0
_DRAIN_SECONDS = 2.0  # for output that a process outside of the group holds open
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, with the whole environment, and where."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path


async def run(
    command: Command,
    write: Callable[[bytes], None],
    *,
    seconds: float | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> int:
    """Run a command to its end and give its status: the exit code, or 128 and the number of the signal.

    `write` takes standard output and error as they come. After `seconds`, or when cancelled, the group gets SIGTERM and,
    `grace_seconds` later, SIGKILL; TimeoutError or CancelledError follow once it is gone.
    Raises OSError when the command cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command.argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(command.env),
        cwd=command.cwd,
        start_new_session=True,
    )
    reading = asyncio.create_task(_pass_on(process, write))
    try:
        async with asyncio.timeout(seconds):
            code = await process.wait()
    finally:
        await uninterrupted(_end(process, reading, grace_seconds))
    return code if code >= 0 else 128 - code


async def _pass_on(process: asyncio.subprocess.Process, write: Callable[[bytes], None]) -> None:
    assert process.stdout is not None
    while chunk := await process.stdout.read(_CHUNK):
        write(chunk)


async def _end(
    process: asyncio.subprocess.Process, reading: asyncio.Task[None], grace_seconds: float
) -> None:
    """End what is left of the group, then take what it still wrote."""
    if process.returncode is None:
        _signal(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await process.wait()
    _signal(process.pid, signal.SIGKILL)
    await process.wait()
    _, late = await asyncio.wait([reading], timeout=_DRAIN_SECONDS)
    if late:
        reading.cancel()
        await asyncio.wait([reading])
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio has no other way to let go of a pipe


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
