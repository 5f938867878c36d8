"""What a scenario is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos.ledger import Ledger
from chaos.postgres import Postgres, postgres
from chaos.replicas import replicas
from chaos.run import SHORT, Patience, Run
from chaos.world import world_in


@dataclass(frozen=True, slots=True)
class Setting:
    """An empty folder, what decides about chance, whether it is the short form, and who watches."""

    folder: Path
    seed: int
    short: bool
    tell: Callable[[str], None]

    @asynccontextmanager
    async def run(
        self, *, count: int = 1, on_postgres: bool = False
    ) -> AsyncIterator[tuple[Run, Postgres | None]]:
        """Have a world and `count` replicas, none of them started, until the block ends."""
        async with AsyncExitStack() as stack:
            # With two the work goes on while one is down, and would be over after a few kills.
            patience = SHORT if self.short else Patience(at_once=24 if count == 1 else 3)
            server, store = None, f"sqlite:///{self.folder / 'kubeci.db'}"
            if on_postgres:
                server = stack.enter_context(postgres())
                store = server.new_database()
            world = await stack.enter_async_context(world_in(self.folder))
            those = await stack.enter_async_context(replicas(world, store, count=count))
            yield Run(world, those, store, Random(self.seed), self.tell, Ledger(world), patience), server
