"""What passes over the sockets to one zygote, without ever blocking the event loop."""

from __future__ import annotations

import asyncio
import errno
import os
import platform
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import structlog

from kubeci.definition.addresses import Address
from kubeci.definition.protocol import (
    COMMAND,
    ENDED,
    KILL,
    LENGTH,
    MAX_OUTCOME_BYTES,
    OUT_OF_MEMORY,
    START,
    TRIAL,
    Answer,
    Ask,
    Fault,
    Limits,
    Outcome,
)
from kubeci.definition.zygote_process import ZygoteProcess

Elsewhere = Callable[[Address], Awaitable[Answer]]
"""Reads a file that is not of the context."""

log = structlog.get_logger(__name__)

MAX_ASKS = 1_000  # more than are ever answered with a file; a process that goes on is ended
_GRACE_SECONDS = 2.0  # after the process's own alarm, for a machine under load


class ZygoteDied(Exception):
    """The zygote went away while it was needed; a new one takes the evaluation up again."""


@dataclass(frozen=True, slots=True)
class _End:
    """How a process ended: its status as waitpid gives it, and whether memory ran out."""

    status: int
    out_of_memory: bool


class ZygoteLink:
    """What passes between an event loop and one zygote."""

    def __init__(self, zygote: ZygoteProcess, *, warns: bool) -> None:
        """Talk to a zygote; with `warns` it is logged if its processes cannot be confined."""
        self._warns = warns
        self.zygote = zygote
        self.dead = False
        self._ends: dict[int, asyncio.Future[_End]] = {}
        self._reader = asyncio.create_task(self._read_ends())

    async def close(self) -> bool:
        """Talk to it no more; what waits for it fails with ZygoteDied. Says whether it is alive and has nothing to do."""
        idle = not self.dead and not self._ends
        self._die()
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader
        return idle

    async def evaluate(self, body: bytes, limits: Limits, elsewhere: Elsewhere) -> Outcome:
        """Run one evaluation to its end; ZygoteDied when the zygote goes away before.

        The time that `elsewhere` takes does not count.
        """
        evaluation = self.zygote.next_number()
        ours, theirs = socket.socketpair()
        ended = self._ends[evaluation] = asyncio.get_running_loop().create_future()
        try:
            with theirs:
                self._start(evaluation, theirs, limits)
            async with asyncio.timeout(limits.wall_seconds + _GRACE_SECONDS) as clock:
                outcome = await _converse(ours, body, _stopping(clock, elsewhere))
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
            socket.send_fds(self.zygote.control, [frame], [channel.fileno()])
        except OSError as error:
            self._die()
            raise ZygoteDied from error

    def _send(self, frame: bytes) -> None:
        with suppress(OSError):
            self.zygote.control.send(frame)

    async def _read_ends(self) -> None:
        loop = asyncio.get_running_loop()
        pending = b""
        try:
            while chunk := await loop.sock_recv(self.zygote.control, 4096):
                pending += chunk
                while len(pending) >= ENDED.size:
                    evaluation, status, out_of_memory = ENDED.unpack_from(pending)
                    pending = pending[ENDED.size :]
                    if evaluation == TRIAL and self._warns:
                        _tell(status)
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


def _tell(status: int) -> None:
    """Warn where evaluations keep their system calls, or cannot begin, with the kernel's reason."""
    if status:
        unconfined = status in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}
        log.warning(
            "evaluations are not confined by seccomp: only limits hold"
            if unconfined
            else "evaluations fail: the kernel refuses to confine them by seccomp",
            cause=errno.errorcode.get(status, str(status)),
            reason=os.strerror(status) if status > 0 else "",
            machine=platform.machine(),
        )


def _stopping(clock: asyncio.Timeout, elsewhere: Elsewhere) -> Elsewhere:
    """Let a time limit stand still while something from elsewhere is read."""

    async def read(address: Address) -> Answer:
        now = asyncio.get_running_loop().time
        remaining = (clock.when() or 0) - now()
        clock.reschedule(None)
        answer = await elsewhere(address)
        clock.reschedule(now() + remaining)
        return answer

    return read


async def _converse(channel: socket.socket, body: bytes, elsewhere: Elsewhere) -> Outcome | None:
    """Send the request, answer what is asked and read the outcome; None when the process ended before it was whole."""
    channel.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=channel)
    try:
        writer.write(LENGTH.pack(len(body)) + body)
        with suppress(OSError):
            await writer.drain()
        for _ in range(MAX_ASKS + 1):
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            if length > MAX_OUTCOME_BYTES:
                return Outcome(fault=Fault(f"gives an outcome of more than {MAX_OUTCOME_BYTES:,} bytes"))
            message = msgspec.json.decode(await reader.readexactly(length), type=Ask | Outcome)
            if isinstance(message, Outcome):
                return message
            answer = msgspec.json.encode(await elsewhere(message.address))
            writer.write(LENGTH.pack(len(answer)) + answer)
            with suppress(OSError):
                await writer.drain()
        return Outcome(fault=Fault(f"asks for more than {MAX_ASKS:,} files from elsewhere"))
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
