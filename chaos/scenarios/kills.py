"""The server is killed without warning while builds of all kinds are asked for."""

from __future__ import annotations

from chaos import stories
from chaos.figure import Figure, Outcome
from chaos.killer import BUSY_UPTIME_SECONDS, UPTIME_SECONDS, Killer
from chaos.setting import Setting

BUILDS = 300
FEW = 30
BUILDS_A_KILL = 15
"""Fewer kills than one for so many builds would show little."""
BUILDS_BETWEEN = 12
"""No more builds are asked for by one kill: while a server lives long, most of them would be."""


async def kills(setting: Setting, *, replicas: int, on_postgres: bool = False) -> Outcome:
    """Kill one replica after the other while stories are told, then let all heal."""
    async with setting.run(count=replicas, on_postgres=on_postgres) as (run, _):
        await run.begin()
        builds = FEW if setting.short else BUILDS
        uptime = BUSY_UPTIME_SECONDS if setting.short or replicas > 1 else UPTIME_SECONDS
        run.allowed = lambda: BUILDS_BETWEEN * (run.replicas.kills + 1)
        killer = Killer(run.replicas, run.random, calm=not setting.short, uptime=uptime)
        healing = await run.through(stories.chosen(builds, run.random), killer.run(run.over))
        done = run.replicas.kills
        return await run.outcome(
            Figure("kills", done),
            Figure("kills too few", max(0, builds // BUILDS_A_KILL - done), zero=True),
            Figure("time to heal", healing, "s"),
        )
