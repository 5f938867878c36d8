"""The sandbox, seen from the server: evaluations in confined processes, forked from a warm one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec

from kubeci.definition.protocol import (
    COMMAND,
    ENDED,
    KILL,
    LENGTH,
    MAX_OUTCOME_BYTES,
    MAX_REQUEST_BYTES,
    START,
    Fault,
    Limits,
    Outcome,
    Request,
)
from kubeci.errors import UpstreamError

_ATTEMPTS = 3
_GRACE_SECONDS = 2.0  # after the process's own alarm, for a machine under load


class _ZygoteDied(Exception):
    """The zygote went away while it was needed; a new one takes the evaluation up again."""


class Sandbox:
    """Evaluate CI definitions, each in a process of its own.

    `limits` bind one evaluation, `concurrent` is how many run at once (default: one a processor, two at least).
    Used as an async context manager; leaving it ends every process.
    """

    def __init__(self, limits: Limits | None = None, *, concurrent: int | None = None) -> None:
        self.limits = limits or Limits()
        self._slots = asyncio.Semaphore(concurrent or max(2, os.cpu_count() or 2))
        self._zygote: _ZygoteLink | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._link()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._zygote:
            await self._zygote.close()
            self._zygote = None

    @property
    def zygote_pid(self) -> int | None:
        """Give the process id of the zygote under way."""
        return self._zygote.process.pid if self._zygote else None

    async def evaluate(self, request: Request) -> Outcome:
        """Evaluate a request; what ends the process is told as a fault in the outcome.

        Cancelling the call kills the process. Raises UpstreamError (retryable) when no zygote stays alive.
        """
        try:
            body = msgspec.json.encode(request)
        except UnicodeEncodeError as error:
            return Outcome(fault=Fault(f"holds text that is no Unicode ({error.reason})", request.path))
        if len(body) > MAX_REQUEST_BYTES:
            return Outcome(
                fault=Fault(f"needs {len(body):,} bytes of input; at most {MAX_REQUEST_BYTES:,} are given")
            )
        async with self._slots:
            for _attempt in range(_ATTEMPTS):
                with suppress(_ZygoteDied):
                    link = await self._link()
                    return await link.evaluate(body, self.limits)
        raise UpstreamError("the sandbox that evaluates CI definitions does not stay alive", retryable=True)

    async def _link(self) -> _ZygoteLink:
        async with self._starting:
            if self._zygote and self._zygote.dead:
                await self._zygote.close()
                self._zygote = None
            if self._zygote is None:
                self._zygote = await _ZygoteLink.start()
            return self._zygote


@dataclass(frozen=True, slots=True)
class _End:
    """How a process ended: its status as waitpid gives it, and whether memory ran out."""

    status: int
    out_of_memory: bool


class _ZygoteLink:
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
        return cls(process, ours)

    async def close(self) -> None:
        """End the zygote and, with it, its children."""
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
        """Run one evaluation to its end; _ZygoteDied when the zygote goes away before."""
        self._count = (self._count + 1) % (1 << 32)
        evaluation = self._count
        ended = self._ends[evaluation] = asyncio.get_running_loop().create_future()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._start(evaluation, theirs, limits)
            async with asyncio.timeout(limits.wall_seconds + _GRACE_SECONDS):
                answer = await _converse(ours, body)
                end = await ended
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
        return _judge(answer, end, limits)

    def _start(self, evaluation: int, channel: socket.socket, limits: Limits) -> None:
        wall_ms = int(limits.wall_seconds * 1000)
        frame = COMMAND.pack(evaluation, START, limits.cpu_seconds, limits.memory_mib, wall_ms)
        if self.dead:
            raise _ZygoteDied
        try:
            socket.send_fds(self._control, [frame], [channel.fileno()])
        except OSError as error:
            self._die()
            raise _ZygoteDied from error

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
                ended.set_exception(_ZygoteDied())


async def _converse(channel: socket.socket, body: bytes) -> bytes:
    """Send the request and read the answer's message; empty when the process ended before it was whole."""
    channel.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=channel)
    try:
        writer.write(LENGTH.pack(len(body)) + body)
        with suppress(OSError):
            await writer.drain()
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        return await reader.readexactly(length) if length <= MAX_OUTCOME_BYTES else b""
    except (asyncio.IncompleteReadError, OSError):
        return b""
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _judge(answer: bytes, end: _End, limits: Limits) -> Outcome:
    """Turn a process's answer and end into an outcome."""
    if answer and end.status == 0:
        with suppress(msgspec.DecodeError):
            outcome = msgspec.json.decode(answer, type=Outcome)
            if outcome.fault and outcome.fault.message == "ran out of memory":
                return Outcome(prints=outcome.prints, fault=Fault(_too_much_memory(limits)))
            return outcome
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
