import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from kubeci.definition.protocol import Limits, Outcome, Request
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import UpstreamError

GOOD = 'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}\n'
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{last}'] * 10)}]\n"
    for last, name in zip("abcdefgh", "bcdefghi", strict=True)
)
LOOP = "def f():\n  for i in range(1 << 30):\n    for j in range(1 << 30):\n      pass\nf()\n"
LIMITS = Limits(cpu_seconds=1, memory_mib=256)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(LIMITS) as sandbox:
        yield sandbox


def star(source: str) -> Request:
    return Request("ci.star", {"ci.star": source}, starlark=True, cpu_seconds=1)


async def evaluate(sandbox: Sandbox, source: str) -> Outcome:
    return await sandbox.evaluate(star(source))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def longest_stand_still(until: asyncio.Future[Any]) -> float:
    """Wait for something, and give how many seconds the event loop stood still meanwhile at most."""
    longest = 0.0
    while not until.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    return longest


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f():\n  x = 3\n  for i in range(60):\n    x = x * x\nf()\n", "used more than 1 seconds of CPU"),
        ("x = 'a' * 2 * 1000000000\n", "used more than 256 MB of memory"),
        ("def f():\n  x = 'ab'\n  for i in range(60):\n    x += x\nf()\n", "used more than 256 MB of memory"),
        (
            "def f():\n  x = []\n  for i in range(1 << 30):\n    x.append([i] * 1000000)\nf()\n",
            "used more than 256 MB of memory",
        ),
        ("x = " + "[" * 60_000 + "\n", "brackets are nested deeper than 200"),
        ("x = " + "-" * 60_000 + "1\n", "crashed the interpreter; an expression is nested too deeply"),
        ("x = 1" + "+1" * 30_000 + "\n", "crashed the interpreter; an expression is nested too deeply"),
        ("def f(x):\n  return f(x)\nf(1)\n", "function called recursively; Starlark has no recursion"),
        ("load('ci.star', 'x')\n", "load cycle: ci.star -> ci.star"),
        ("fail('on purpose')\n", "fail: on purpose"),
        ("x = []\nx.append(x)\nworkflow = x\n", "is nested deeper than 100"),
        (
            "def f():\n  x = [0]\n  for i in range(30):\n    x = [x, x]\n  return x\nworkflow = f()\n",
            "holds more than 200000 values",
        ),
    ],
    ids=[
        "squaring",
        "repeat",
        "doubling",
        "list",
        "brackets",
        "unary",
        "sum",
        "recursion",
        "self",
        "fail",
        "cycle",
        "shared",
    ],
)
async def test_hostile_starlark_ends_with_a_reason_and_harms_nobody_else(
    sandbox: Sandbox, source: str, message: str
) -> None:
    zygote = sandbox.zygote_pid
    both = asyncio.gather(evaluate(sandbox, source), evaluate(sandbox, GOOD))
    longest = await longest_stand_still(both)
    hostile, good = await both
    assert hostile.fault is not None
    assert message in hostile.fault.message
    assert good.manifest is not None
    assert longest < 0.5
    assert (await evaluate(sandbox, GOOD)).manifest is not None
    assert sandbox.zygote_pid == zygote


@pytest.mark.parametrize(
    "text",
    [BOMB, "[" * 1_000_000, "a: &a [*a]", "- " * 100_000, "? " * 100_000],
    ids=["bomb", "flow", "self", "block", "keys"],
)
async def test_hostile_yaml_ends_with_a_place(sandbox: Sandbox, text: str) -> None:
    outcome = await sandbox.evaluate(Request("ci.yaml", {"ci.yaml": text}, starlark=False))
    assert outcome.fault is not None
    assert outcome.fault.line > 0
    assert (await evaluate(sandbox, GOOD)).manifest is not None


async def test_a_loop_is_told_with_its_place_and_harms_nobody_else() -> None:
    # On a busy machine a second of CPU may take longer than the wall clock allows.
    async with Sandbox(Limits(cpu_seconds=1, memory_mib=256, wall_seconds=60)) as sandbox:
        zygote = sandbox.zygote_pid
        both = asyncio.gather(evaluate(sandbox, LOOP), evaluate(sandbox, GOOD))
        longest = await longest_stand_still(both)
        loop, good = await both
        assert (await evaluate(sandbox, GOOD)).manifest is not None
        assert sandbox.zygote_pid == zygote
    assert loop.fault is not None
    assert loop.fault.message.startswith("used more than 1 seconds of CPU")
    assert (loop.fault.file, loop.fault.line) == ("ci.star", 3)
    assert good.manifest is not None
    assert longest < 0.5


async def test_wall_clock() -> None:
    async with Sandbox(Limits(cpu_seconds=30, wall_seconds=0.2)) as sandbox:
        fault = (
            await sandbox.evaluate(Request("ci.star", {"ci.star": LOOP}, starlark=True, cpu_seconds=30))
        ).fault
        assert fault is not None
        assert fault.message == "took longer than 0.2 seconds"


async def test_a_killed_zygote_costs_a_restart(sandbox: Sandbox) -> None:
    before = sandbox.zygote_pid
    assert before is not None
    under_way = asyncio.create_task(evaluate(sandbox, GOOD))
    await asyncio.sleep(0)
    os.kill(before, signal.SIGKILL)
    assert (await under_way).manifest is not None
    assert (await evaluate(sandbox, GOOD)).manifest is not None
    assert sandbox.zygote_pid != before


@linux
async def test_cancelling_kills_the_process(sandbox: Sandbox) -> None:
    assert (await evaluate(sandbox, GOOD)).manifest is not None
    children_of = Path(f"/proc/{sandbox.zygote_pid}/task/{sandbox.zygote_pid}/children")

    def children() -> list[int]:
        return [int(pid) for pid in children_of.read_text().split()]

    await until(lambda: not children())
    task = asyncio.create_task(evaluate(sandbox, LOOP))
    await until(children)
    (child,) = children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: is_gone(child))
    assert (await evaluate(sandbox, GOOD)).manifest is not None


async def test_a_server_without_descriptors_may_try_again(sandbox: Sandbox) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(UpstreamError) as caught:
            await evaluate(sandbox, GOOD)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert caught.value.retryable
    assert (await evaluate(sandbox, GOOD)).manifest is not None


async def test_many_at_once(sandbox: Sandbox) -> None:
    outcomes = await asyncio.gather(*(evaluate(sandbox, f"print({n})\n" + GOOD) for n in range(40)))
    assert [outcome.prints for outcome in outcomes] == [(f"ci.star:1: {n}",) for n in range(40)]


@linux
async def test_the_zygote_inherits_nothing(sandbox: Sandbox) -> None:
    assert (await evaluate(sandbox, GOOD)).manifest is not None
    process = Path(f"/proc/{sandbox.zygote_pid}")
    assert (process / "environ").read_bytes() == b""
    kept = ["/dev/null", "/dev/null", "pipe", "pipe", "socket"]
    await until(lambda: sorted(str(fd.readlink()).split(":")[0] for fd in (process / "fd").iterdir()) == kept)


async def test_leaving_ends_the_zygote() -> None:
    async with Sandbox() as sandbox:
        pid = sandbox.zygote_pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_leaving_ends_what_is_under_way() -> None:
    async with Sandbox(LIMITS) as sandbox:
        task = asyncio.create_task(evaluate(sandbox, LOOP))
        assert (await evaluate(sandbox, GOOD)).manifest is not None
    async with asyncio.timeout(0.5):
        with pytest.raises(UpstreamError, match="closed"):
            await task


SERVER = """
import asyncio
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import UpstreamError
async def main():
    async with Sandbox() as sandbox:
        print(sandbox.zygote_pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_the_zygote_dies_with_the_server() -> None:
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, stdout=subprocess.PIPE)
    assert server.stdout is not None
    zygote = int(await server.stdout.readline())
    server.kill()
    await server.communicate()
    await until(lambda: is_gone(zygote))


CONFINED = """
import os, resource, socket
from kubeci.definition.confinement import CHANNEL, confine
from kubeci.definition.protocol import Limits

def attempt(action):
    try:
        action()
    except MemoryError:
        return "MemoryError"
    except (OSError, ValueError):  # ValueError: a limit that may not be set
        return "OSError"
    return "done"

secret = os.dup2(0, 50)
ours, theirs = socket.socketpair()
reading, writing = os.pipe()
if os.fork() == 0:
    confine(theirs.fileno(), writing, Limits())
    said = [
        attempt(lambda: os.open("/etc/hostname", os.O_RDONLY)),
        attempt(lambda: socket.socket()),
        attempt(lambda: os.fstat(secret)),
        attempt(lambda: bytearray(1 << 30)),
        attempt(lambda: os.kill(os.getppid(), 0)),
        attempt(os.fork),
        attempt(lambda: os.execv("/bin/true", ["true"])),
        attempt(lambda: resource.prlimit(os.getppid(), resource.RLIMIT_AS)),
        attempt(lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, 1))),
        attempt(lambda: os.close(0)),
        attempt(lambda: os.open("/etc/hostname", os.O_RDONLY)),
        attempt(lambda: socket.socket()),
        str(resource.getrlimit(resource.RLIMIT_CORE)[1]),
        str(resource.getrlimit(resource.RLIMIT_NPROC)[1]),
        str(resource.getrlimit(resource.RLIMIT_FSIZE)[1]),
        str(resource.getrlimit(resource.RLIMIT_CPU)[0]),
    ]
    os.write(CHANNEL, " ".join(said).encode())
    os._exit(0)
theirs.close()
os.wait()
print(ours.recv(4096).decode())
"""


@linux
async def test_what_a_confined_process_can_still_do() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", CONFINED, stdout=subprocess.PIPE)
    said, _ = await process.communicate()
    assert said.decode().split() == [
        *["OSError", "OSError", "OSError", "MemoryError"],
        *["OSError", "OSError", "OSError", "OSError", "OSError"],
        *["done", "OSError", "OSError"],
        *["0", "0", "0", "2"],
    ]
