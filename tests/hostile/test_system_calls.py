"""What native code in the process of an evaluation can still ask of the kernel, tried in such a process."""

from __future__ import annotations

import ast
import errno
import fcntl
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="has no list"
)

CONFINED = """
import errno, fcntl, os, signal, socket, termios
from kubeci.definition.confinement import CHANNEL, confine
from kubeci.definition.protocol import Limits
ours, theirs = socket.socketpair()
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    confine(theirs.fileno(), writing, Limits(4, 4096, 10))
    told = {}
    for name, attempt in {
        "kill": lambda: os.kill(os.getppid(), 0),
        "own kill": lambda: os.kill(os.getpid(), 0),
        "FIOASYNC": lambda: fcntl.ioctl(CHANNEL, termios.FIOASYNC, b"1234"),
        **{f"fcntl {each}": lambda each=each: fcntl.fcntl(CHANNEL, each, 0) for each in range(40)},
        **{f"fcntl {each}": lambda each=each: fcntl.fcntl(CHANNEL, each, 0) for each in range(1024, 1050)},
        "O_ASYNC": lambda: fcntl.fcntl(CHANNEL, fcntl.F_SETFL, os.O_RDWR | os.O_ASYNC),
    }.items():
        try:
            attempt()
            told[name] = 0
        except OSError as error:
            told[name] = error.errno
    os.write(1, repr(told).encode())
    os._exit(0)
os.close(writing)
print(b"".join(iter(lambda: os.read(reading, 4096), b"")).decode())
os.waitpid(pid, 0)
"""

REFUSED = """
import asyncio, ctypes, errno, os, platform, struct
x86 = platform.machine() == "x86_64"
PRCTL, ERRNO = 157 if x86 else 167, 0x00050000 | {errno}
step = struct.Struct("=HBBI")
code = b"".join(step.pack(*each) for each in [(0x20, 0, 0, 0), (0x15, 0, 1, PRCTL), (6, 0, 0, ERRNO), (6, 0, 0, 0x7FFF0000)])
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(4, code))) == 0
from kubeci.definition.protocol import Request
from kubeci.definition.module_reader import ModuleSources
from kubeci.definition.sandbox import Sandbox
async def main():
    files = ModuleSources(None, None)
    async with Sandbox(sources=files) as sandbox:
        for _ in range(2):
            outcome = await sandbox.evaluate(Request("ci.yaml", {{"ci.yaml": "a: 1"}}, starlark=False))
            print("came to", outcome.manifest or outcome.fault.message)
asyncio.run(main())
"""


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_confined_process_cannot_have_the_kernel_signal_another() -> None:
    told = ast.literal_eval(run(CONFINED))
    asked = {name: number for name, number in told.items() if number != errno.EPERM}
    assert asked == {f"fcntl {each}": 0 for each in (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL)}
    assert len(told) > 60


@pytest.mark.parametrize(
    ("number", "said", "came_to"),
    [
        (errno.EINVAL, "only limits hold", "`apiVersion` is missing"),
        (errno.ENOSYS, "only limits hold", "`apiVersion` is missing"),
        (errno.EACCES, "evaluations fail", "crashed the interpreter"),
    ],
)
def test_a_kernel_that_cannot_confine_is_told_of_once(number: int, said: str, came_to: str) -> None:
    printed = run(REFUSED.format(errno=number))
    assert printed.count(f"came to {came_to}") == 2
    [line] = [line for line in printed.splitlines() if "seccomp" in line]
    assert said in line
    assert errno.errorcode[number] in line
