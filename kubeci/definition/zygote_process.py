"""A zygote's process and the way to it, apart from the event loop that talks to it."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Protocol

_GRACE_SECONDS = 2.0


@dataclass(slots=True)
class ZygoteProcess:
    """A zygote: its process, our end of the control socket, and the number of its latest evaluation."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    latest: int = 0

    def next_number(self) -> int:
        """Number another evaluation, with what a command has room for."""
        self.latest = self.latest % ((1 << 32) - 1) + 1
        return self.latest


class Zygotes(Protocol):
    """Gives a sandbox its zygotes."""

    def take(self) -> ZygoteProcess:
        """Give one that nobody else has; raises OSError where no process can be started."""

    async def give_back(self, zygote: ZygoteProcess, *, idle: bool) -> None:
        """Take back one that is used no more; not `idle`: it died, or evaluations of it are under way."""


class OwnZygotes:
    """Starts a zygote whenever one is wanted, and ends it when it is given back."""

    def take(self) -> ZygoteProcess:
        """Start one."""
        return start_zygote()

    async def give_back(self, zygote: ZygoteProcess, *, idle: bool) -> None:
        """End it, with all that it forked."""
        del idle
        await asyncio.to_thread(end_zygote, zygote)


def start_zygote() -> ZygoteProcess:
    """Start a zygote with an empty environment and no descriptor but the control socket."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    try:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-m", "kubeci.definition.zygote"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
    except BaseException:
        ours.close()
        raise
    return ZygoteProcess(process, ours)


def end_zygote(zygote: ZygoteProcess) -> None:
    """Close the control socket, which ends the process and its children, and wait for that."""
    zygote.control.close()
    try:
        zygote.process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        zygote.process.kill()
        zygote.process.wait()
