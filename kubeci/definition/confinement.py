"""The process of one evaluation: what it gives up, and what it answers."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys

import msgspec

from kubeci.definition.addresses import Address
from kubeci.definition.evaluation import evaluate
from kubeci.definition.protocol import (
    LENGTH,
    MAX_REQUEST_BYTES,
    OUT_OF_MEMORY,
    Answer,
    Ask,
    Fault,
    Limits,
    Outcome,
    Request,
)
from kubeci.definition.system_calls import confine_system_calls

MAX_DESCRIPTORS = 1 << 12  # more than a zygote ever has, it serves a few evaluations at once
CHANNEL = 3  # the evaluation's socket, after the standard streams
_DEFAULT_SIGNALS = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)


def confine(channel: int, stderr: int, limits: Limits) -> None:
    """Give up everything but the socket: descriptors, signals, memory, time, and most system calls."""
    signal.set_wakeup_fd(-1)
    for number in _DEFAULT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    os.set_blocking(stderr, False)
    channel = os.dup(channel) if channel <= CHANNEL else channel
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stderr, 1)
    os.dup2(stderr, 2)
    os.dup2(channel, CHANNEL)
    os.closerange(CHANNEL + 1, MAX_DESCRIPTORS)
    for name, value in (
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_NOFILE", CHANNEL + 1),
        ("RLIMIT_AS", limits.memory_mib << 20),
    ):
        limit(name, value, value)
    limit("RLIMIT_CPU", limits.cpu_seconds, limits.cpu_seconds + 1)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    confine_system_calls()


def limit(name: str, soft: int, hard: int) -> None:
    """Set a resource limit by its name; systems other than Linux may know it or not."""
    number = getattr(resource, name, None)
    if number is None:
        return
    try:
        resource.setrlimit(number, (soft, hard))
    except (OSError, ValueError):
        if sys.platform == "linux":
            raise


def answer() -> None:
    """Read the request from the channel, evaluate it, write the outcome."""
    gc.disable()
    with socket.socket(fileno=CHANNEL) as channel:
        _send(channel, _outcome(channel))


def _outcome(channel: socket.socket) -> Outcome:
    def elsewhere(address: Address) -> Answer:
        # The clock stands still while others work; the server has one of its own for that.
        remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        _send(channel, Ask(address))
        answer = msgspec.json.decode(_receive(channel), type=Answer)
        signal.setitimer(signal.ITIMER_REAL, remaining)
        return answer

    body = _receive(channel)
    try:
        return evaluate(msgspec.json.decode(body, type=Request), elsewhere)
    except MemoryError:
        return Outcome(fault=OUT_OF_MEMORY)
    except RecursionError:
        return Outcome(fault=Fault("is nested too deeply"))
    except BaseException as error:  # noqa: BLE001 - the interpreter's panics are BaseExceptions; no text of theirs is shown
        if "out of memory" in str(error):
            return Outcome(fault=OUT_OF_MEMORY)
        return Outcome(fault=Fault(f"crashed the interpreter ({type(error).__name__})"))


def _send(channel: socket.socket, message: Ask | Outcome) -> None:
    body = msgspec.json.encode(message)
    channel.sendall(LENGTH.pack(len(body)) + body)


def _receive(channel: socket.socket) -> bytes:
    (length,) = LENGTH.unpack(_exactly(channel, LENGTH.size))
    if length > MAX_REQUEST_BYTES:
        raise ValueError("the request is too long")
    return _exactly(channel, length)


def _exactly(channel: socket.socket, length: int) -> bytes:
    body = bytearray(length)
    view = memoryview(body)
    while view:
        count = channel.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return bytes(body)
