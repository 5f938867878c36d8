"""A hostile definition ends with a reason, in bounded time and memory, and harms nobody else."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sandbox_kit import GOOD, LIMITS, LOOP, evaluate

from kubeci.definition.protocol import Limits, Request
from kubeci.definition.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(LIMITS) as sandbox:
        yield sandbox


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{last}'] * 10)}]\n"
    for last, name in zip("abcdefgh", "bcdefghi", strict=True)
)


async def longest_stand_still(until: asyncio.Future[Any]) -> float:
    """Wait for something, and give how many seconds the event loop stood still meanwhile at most."""
    longest = 0.0
    while not until.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    return longest


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


async def test_many_at_once(sandbox: Sandbox) -> None:
    outcomes = await asyncio.gather(*(evaluate(sandbox, f"print({n})\n" + GOOD) for n in range(40)))
    assert [outcome.prints for outcome in outcomes] == [(f"ci.star:1: {n}",) for n in range(40)]
