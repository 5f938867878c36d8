"""One zygote process and what passes over the sockets to it, without ever blocking the event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import msgspec

from kubeci.definition.protocol import (
    COMMAND,
    ENDED,
    KILL,
    LENGTH,
    MAX_OUTCOME_BYTES,
    OUT_OF_MEMORY,
    START,
    Fault,
    Limits,
    Outcome,
)

_GRACE_SECONDS = 2.0  # after the process's own alarm, for a machine under load


class ZygoteDied(Exception):
    """The zygote went away while it was needed; a new one takes the evaluation up again."""


@dataclass(frozen=True, slots=True)
class _End:
    """How a process ended: its status as waitpid gives it, and whether memory ran out."""

    status: int
    out_of_memory: bool


class ZygoteLink:
    """One zygote process and the control socket to it."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self.process = process
        self.dead = False
        self._control = control
        self._count = 0
        self._ends: dict[int, asyncio.Future[_End]] = {}
        self._reader = asyncio.create_task(self._read_ends())

    @classmethod
    async def start(cls) -> Self:
        """Start a zygote with an empty environment and no descriptor but the control socket."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    "-m",
                    "kubeci.definition.zygote",
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    env={},
                    cwd="/",
                    start_new_session=True,
                )
        except BaseException:
            ours.close()
            raise
        return cls(process, ours)

    async def close(self) -> None:
        """End the zygote and, with it, its children; what waits for them fails with ZygoteDied."""
        self._die()
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader
        self._control.close()
        if self.process.returncode is None:
            try:
                await asyncio.wait_for(self.process.wait(), _GRACE_SECONDS)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()

    async def evaluate(self, body: bytes, limits: Limits) -> Outcome:
        """Run one evaluation to its end; ZygoteDied when the zygote goes away before."""
        self._count = (self._count + 1) % (1 << 32)
        evaluation = self._count
        ours, theirs = socket.socketpair()
        ended = self._ends[evaluation] = asyncio.get_running_loop().create_future()
        try:
            with theirs:
                self._start(evaluation, theirs, limits)
            async with asyncio.timeout(limits.wall_seconds + _GRACE_SECONDS):
                outcome = await _converse(ours, body)
                if outcome is None:
                    return _explain(await ended, limits)
        except TimeoutError:
            return Outcome(fault=Fault(f"took longer than {limits.wall_seconds:g} seconds"))
        finally:
            ours.close()
            del self._ends[evaluation]
            if not ended.done():
                self._send(COMMAND.pack(evaluation, KILL, 0, 0, 0))
                ended.cancel()
            elif not ended.cancelled():
                ended.exception()
        return outcome if outcome.fault != OUT_OF_MEMORY else Outcome(fault=Fault(_too_much_memory(limits)))

    def _start(self, evaluation: int, channel: socket.socket, limits: Limits) -> None:
        wall_ms = int(limits.wall_seconds * 1000)
        frame = COMMAND.pack(evaluation, START, limits.cpu_seconds, limits.memory_mib, wall_ms)
        if self.dead:
            raise ZygoteDied
        try:
            socket.send_fds(self._control, [frame], [channel.fileno()])
        except OSError as error:
            self._die()
            raise ZygoteDied from error

    def _send(self, frame: bytes) -> None:
        with suppress(OSError):
            self._control.send(frame)

    async def _read_ends(self) -> None:
        loop = asyncio.get_running_loop()
        pending = b""
        try:
            while chunk := await loop.sock_recv(self._control, 4096):
                pending += chunk
                while len(pending) >= ENDED.size:
                    evaluation, status, out_of_memory = ENDED.unpack_from(pending)
                    pending = pending[ENDED.size :]
                    ended = self._ends.get(evaluation)
                    if ended and not ended.done():
                        ended.set_result(_End(status, bool(out_of_memory)))
        except OSError:
            pass
        self._die()

    def _die(self) -> None:
        self.dead = True
        for ended in self._ends.values():
            if not ended.done():
                ended.set_exception(ZygoteDied())


async def _converse(channel: socket.socket, body: bytes) -> Outcome | None:
    """Send the request and read the outcome; None when the process ended before it was whole."""
    channel.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=channel)
    try:
        writer.write(LENGTH.pack(len(body)) + body)
        with suppress(OSError):
            await writer.drain()
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        if length > MAX_OUTCOME_BYTES:
            return Outcome(fault=Fault(f"gives an outcome of more than {MAX_OUTCOME_BYTES:,} bytes"))
        return msgspec.json.decode(await reader.readexactly(length), type=Outcome)
    except (asyncio.IncompleteReadError, OSError, msgspec.DecodeError):
        return None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _explain(end: _End, limits: Limits) -> Outcome:
    """Say why a process gave no outcome."""
    if end.out_of_memory:
        return Outcome(fault=Fault(_too_much_memory(limits)))
    ended_by = os.WTERMSIG(end.status) if os.WIFSIGNALED(end.status) else 0
    return Outcome(fault=Fault(_ENDS.get(ended_by, _CRASH).format(limits=limits)))


def _too_much_memory(limits: Limits) -> str:
    return f"used more than {limits.memory_mib} MB of memory"


_CRASH = "crashed the interpreter"
_ENDS: dict[int, str] = {
    signal.SIGXCPU: "used more than {limits.cpu_seconds} seconds of CPU",
    signal.SIGALRM: "took longer than {limits.wall_seconds:g} seconds",
    signal.SIGSEGV: f"{_CRASH}; an expression is nested too deeply",
    signal.SIGBUS: f"{_CRASH}; an expression is nested too deeply",
}
