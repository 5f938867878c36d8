"""The processes of a sandbox: they begin again, end with it, inherit nothing and can do nothing."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sandbox_kit import GOOD, LIMITS, LOOP, evaluate, is_gone, linux, until

from kubeci.definition.sandbox import Sandbox
from kubeci.errors import UpstreamError

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(LIMITS) as sandbox:
        yield sandbox


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
