"""The real program, killed without warning."""

from __future__ import annotations

import signal
from pathlib import Path

from served_process import serve
from tests_stack import PASSING
from world import LINES, NEVER, Step, World, once

POST_WORKFLOW = ("POST", r"/workflows\?")


async def test_a_real_process_killed_without_warning_leaves_nothing_open(
    world: World, tmp_path: Path
) -> None:
    await world.kill()
    async with serve(world.stack, tmp_path) as process:
        world.stack.cluster.faults.add(*POST_WORKFLOW, after=True, drop=True, delay_seconds=NEVER)
        sha = await world.push(PASSING)
        name = await world.submitted()
        process.send_signal(signal.SIGKILL)
        await process.wait()
    world.status(name, "Succeeded", Step("a", log=LINES))
    async with serve(world.stack, tmp_path):
        run = await world.concluded(sha)
        await once(world, sha)
        await world.quiet()
    assert run.conclusion == "success"
