"""The server is away while commits are pushed, and finds all of them when it is back."""

from __future__ import annotations

from dataclasses import replace

from chaos import stories
from chaos.figure import Figure, Outcome
from chaos.setting import Setting

COMMITS = 200
FEW = 12
HEAL_SECONDS = 800.0
"""Two deliveries a commit, a second or more each."""


async def away(setting: Setting) -> Outcome:
    """Push commits, some of which fail, while no server runs; start it and wait."""
    async with setting.run() as (run, _):
        run.patience = replace(run.patience, heal=HEAL_SECONDS)
        await run.begin()
        await run.replicas.each[0].kill()
        count = FEW if setting.short else COMMITS
        chosen: list[stories.Story] = run.random.choices(
            [stories.push, stories.failing_push], [3, 1], k=count
        )
        healing = await run.through(chosen)
        return await run.outcome(
            Figure("commits pushed while away", count), Figure("time to heal", healing, "s")
        )
