"""Sources for a sandbox, and the waits of the tests that look at its processes."""

import asyncio
import os
import sys
from collections.abc import Callable

import pytest

from kubeci.definition.protocol import Limits, Outcome, Request
from kubeci.definition.sandbox import Sandbox

GOOD = 'workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}\n'
LOOP = "def f():\n  for i in range(1 << 30):\n    for j in range(1 << 30):\n      pass\nf()\n"
LIMITS = Limits(cpu_seconds=1, memory_mib=256)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def star(source: str) -> Request:
    return Request("ci.star", {"ci.star": source}, starlark=True, cpu_seconds=1)


async def evaluate(sandbox: Sandbox, source: str) -> Outcome:
    return await sandbox.evaluate(star(source))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
