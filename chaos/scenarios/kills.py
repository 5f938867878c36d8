"""The server is killed without warning while builds of all kinds are asked for."""

from __future__ import annotations

from chaos import stories
from chaos.figure import Figure, Outcome
from chaos.killer import Killer
from chaos.setting import Setting

BUILDS = 300
FEW = 30


async def kills(setting: Setting, *, replicas: int, on_postgres: bool = False) -> Outcome:
    """Kill one replica after the other while stories are told, then let all heal."""
    async with setting.run(count=replicas, on_postgres=on_postgres) as (run, _):
        await run.begin()
        chosen = stories.chosen(FEW if setting.short else BUILDS, run.random)
        killer = Killer(run.replicas, run.random, calm=not setting.short)
        healing = await run.through(chosen, killer.run(run.over))
        return await run.outcome(Figure("kills", run.replicas.kills), Figure("time to heal", healing, "s"))
