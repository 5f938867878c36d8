"""The zygote: a warm process of one thread that forks a confined process for each evaluation.

It is started with a control socket as its standard input and nothing else, and ends when that socket does.
An evaluation's process has no descriptor but its own socket, cannot open another, cannot fork, and is bound in
memory, CPU and time by the kernel; what it does beyond that only ends itself.
"""

from __future__ import annotations

import array
import errno
import gc
import os
import select
import signal
import socket
from dataclasses import dataclass

from kubeci.definition import zones
from kubeci.definition.confinement import answer, confine, limit
from kubeci.definition.evaluation import evaluate
from kubeci.definition.protocol import COMMAND, ENDED, START, TRIAL, Limits, Request
from kubeci.definition.system_calls import confine_system_calls

_WARM_UP = """
load("builtin:///re", "re")
load("builtin:///time", "now")
load("builtin:///math", "pi")
workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "x": [re.findall("a", "a"), now().format("2006")]}
"""


@dataclass(slots=True)
class _Child:
    """A process under way: what the server calls it, and the pipe of its standard error."""

    evaluation: int
    stderr: int


class Zygote:
    """Fork on command, reap, and tell the server how each process ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}

    def serve(self) -> None:
        """Work until the server's end of the control socket is closed; then end what is under way."""
        waker, wake = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        control = self._control.fileno()
        served = True
        try:
            while served:
                ready, _, _ = select.select([control, waker], [], [])
                if waker in ready:
                    os.read(waker, 512)
                    self._reap()
                if control in ready:
                    served = self._command()
        except ConnectionError:  # the server went away between two frames
            pass
        finally:
            for pid in self._children:
                os.kill(pid, signal.SIGKILL)

    def _command(self) -> bool:
        frame, ancillary, _, _ = self._control.recvmsg(
            COMMAND.size, socket.CMSG_SPACE(array.array("i").itemsize)
        )
        if len(frame) < COMMAND.size:
            return False
        descriptors = array.array("i")
        for _level, _type, content in ancillary:
            descriptors.frombytes(content)
        evaluation, verb, cpu_seconds, memory_mib, wall_ms = COMMAND.unpack(frame)
        if verb == START and descriptors:
            self._fork(evaluation, descriptors[0], Limits(cpu_seconds, memory_mib, wall_ms / 1000))
        else:
            for pid, child in self._children.items():
                if child.evaluation == evaluation:
                    os.kill(pid, signal.SIGKILL)
        return True

    def _fork(self, evaluation: int, channel: int, limits: Limits) -> None:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                confine(channel, writing, limits)
                answer()
                status = 0
            finally:
                os._exit(status)
        os.close(channel)
        os.close(writing)
        os.set_blocking(reading, False)
        self._children[pid] = _Child(evaluation, reading)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            child = self._children.pop(pid)
            try:
                said = os.read(child.stderr, 4096)
            except BlockingIOError:
                said = b""
            os.close(child.stderr)
            out_of_memory = b"memory allocation of" in said or b"out of memory" in said
            self._control.sendall(ENDED.pack(child.evaluation, status, out_of_memory))


def _trial() -> int:
    """Have a process give up its system calls as every evaluation's does; gives 0, or the `errno` that says why it cannot."""
    pid = os.fork()
    if pid == 0:
        status = errno.EIO
        try:
            status = confine_system_calls()
        except OSError as error:
            status = error.errno or status
        finally:
            os._exit(status)
    _, ended = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(ended)


def main() -> None:
    """Serve the control socket on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit("RLIMIT_CORE", 0, 0)
    zones.preload()
    evaluate(Request("ci.star", {"ci.star": _WARM_UP}, starlark=True))
    evaluate(Request("ci.yaml", {"ci.yaml": "a: 1"}, starlark=False))
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=0) as control:
        control.sendall(ENDED.pack(TRIAL, _trial(), 0))
        Zygote(control).serve()


if __name__ == "__main__":
    main()
