"""What a definition would find if it took over the interpreter: its process, looked at from outside while it runs."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from pathlib import Path

import pytest

from kubeci.definition.protocol import Limits, Request
from kubeci.definition.sandbox import Sandbox

LOOP = "def f():\n  for i in range(1 << 30):\n    for j in range(1 << 30):\n      pass\nf()\n"
SEES = Limits(cpu_seconds=30, memory_mib=300, wall_seconds=60)
FILTERED = platform.machine() in {"x86_64", "aarch64"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


async def worker_of(sandbox: Sandbox) -> Path:
    """Wait for the process of the evaluation under way, once it is confined: it cannot be told from outside before."""
    children = Path(f"/proc/{sandbox.zygote_pid}/task/{sandbox.zygote_pid}/children")
    async with asyncio.timeout(10):
        while True:
            found = children.read_text()  # noqa: ASYNC240 - /proc answers at once
            for pid in found.split():
                process = Path(f"/proc/{pid}")
                if "Max open files            4" in (process / "limits").read_text() and (
                    not FILTERED or "Seccomp:\t2" in (process / "status").read_text()
                ):
                    return process
            await asyncio.sleep(0.01)


async def test_the_worker_holds_nothing_of_the_servers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECI_HOSTILE_SECRET", "not for you")
    (tmp_path / "key.pem").write_text("not for you")
    kept_open = os.open(tmp_path / "key.pem", os.O_RDONLY)
    os.set_inheritable(kept_open, True)
    try:
        async with Sandbox(SEES) as sandbox:
            request = Request("ci.star", {"ci.star": LOOP}, starlark=True, cpu_seconds=30)
            task = asyncio.create_task(sandbox.evaluate(request))
            process = await worker_of(sandbox)
            assert (process / "environ").read_bytes() == b""
            assert str((process / "cwd").readlink()) == "/"
            held = {fd.name: str(fd.readlink()).split(":")[0] for fd in (process / "fd").iterdir()}
            assert held == {"0": "/dev/null", "1": "pipe", "2": "pipe", "3": "socket"}
            assert b"not for you" not in (process / "cmdline").read_bytes()
            status = dict(
                line.split(":\t", 1)
                for line in (process / "status").read_text().splitlines()
                if ":\t" in line
            )
            assert status["Threads"] == "1"
            if FILTERED:
                assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        os.close(kept_open)


async def test_the_worker_is_bound_by_the_kernel() -> None:
    async with Sandbox(SEES) as sandbox:
        request = Request("ci.star", {"ci.star": LOOP}, starlark=True, cpu_seconds=30)
        task = asyncio.create_task(sandbox.evaluate(request))
        limits = (await worker_of(sandbox) / "limits").read_text()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    rows = {line[:25].strip(): line[25:].split()[:2] for line in limits.splitlines()[1:]}
    assert {name: rows[name] for name in rows if name in BOUND} == BOUND


BOUND = {
    "Max cpu time": ["30", "31"],
    "Max address space": [str(300 << 20)] * 2,
    "Max file size": ["0", "0"],
    "Max processes": ["0", "0"],
    "Max open files": ["4", "4"],
    "Max core file size": ["0", "0"],
}
