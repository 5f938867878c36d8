"""Zygotes that many sandboxes use, one after another."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from kubeci.definition.protocol import Limits, Request
from kubeci.definition.sandbox import Sandbox
from kubeci.local.zygotes import KeptZygotes

MANIFEST = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
GOOD = Request("ci.star", {"ci.star": f"workflow = {MANIFEST}\n"}, starlark=True)
LOOP = Request("ci.star", {"ci.star": "def f():\n  for i in range(1 << 40):\n    pass\nf()\n"}, starlark=True)


@pytest.fixture
async def kept() -> AsyncIterator[KeptZygotes]:
    kept = KeptZygotes()
    yield kept
    kept.end()


async def used(kept: KeptZygotes) -> int:
    """Evaluate in a sandbox of its own; give the zygote's process id."""
    async with Sandbox(zygotes=kept) as sandbox:
        outcomes = await asyncio.gather(sandbox.evaluate(GOOD), sandbox.evaluate(GOOD))
        assert [each.manifest for each in outcomes] == [MANIFEST] * 2
        assert sandbox.zygote_pid
        return sandbox.zygote_pid


async def test_the_next_sandbox_has_the_zygote_of_the_last(kept: KeptZygotes) -> None:
    first = await used(kept)
    assert [await used(kept), await used(kept)] == [first, first]


async def test_sandboxes_at_one_time_have_their_own(kept: KeptZygotes) -> None:
    async with Sandbox(zygotes=kept) as one, Sandbox(zygotes=kept) as two:
        pids = {one.zygote_pid, two.zygote_pid}
    assert len(pids) == 2
    assert await used(kept) in pids


async def test_one_that_died_meanwhile_is_replaced(kept: KeptZygotes) -> None:
    first = await used(kept)
    os.kill(first, signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert await used(kept) != first


async def test_one_with_work_under_way_is_ended(kept: KeptZygotes) -> None:
    limits = Limits(cpu_seconds=30, wall_seconds=30)
    async with Sandbox(limits, zygotes=kept) as sandbox:
        first = sandbox.zygote_pid
        under_way = asyncio.create_task(sandbox.evaluate(LOOP))
        for _ in range(3):  # the request is on its way
            await asyncio.sleep(0)
    assert isinstance((await asyncio.gather(under_way, return_exceptions=True))[0], BaseException)
    assert await used(kept) != first
    assert first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_what_is_kept_is_ended(kept: KeptZygotes) -> None:
    first = await used(kept)
    kept.end()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
