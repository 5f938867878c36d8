"""GitHub, the API server and the database fail in every way, while builds of all kinds are asked for."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from random import Random

from chaos import stories
from chaos.figure import Figure, Outcome
from chaos.postgres import Postgres
from chaos.run import Run
from chaos.setting import Setting
from chaos.world import World
from kubeci.local.cluster.faults import FaultOptions
from kubeci.local.github.random_faults import WAYS, RandomFaults

BUILDS = 120
FEW = 16
RATE = 0.2
FOR_A_MINUTE = frozenset({"429", "403 secondary"})
"""Limits without `retry-after` hold the server for a minute each: at this rate nothing else would ever be asked."""
BETWEEN_SECONDS = (0.1, 0.8)
"""Between two failures of the API server, each of one request."""
AWAY_SECONDS = (0.5, 3.0)
RESTART_SECONDS = (12.0, 25.0)
CLUSTER: tuple[tuple[str, str, FaultOptions], ...] = (
    ("*", "/workflows|/leases", {"status": 500}),
    ("*", "/workflows|/leases|/log", {"status": 429}),
    ("*", "/workflows", {"status": 503}),
    ("PATCH", "/workflows/", {"status": 409}),
    ("PUT", "/leases/", {"status": 409}),
    ("GET", r"/workflows\?", {"status": 410}),
    ("GET", "/workflows", {"cut_body": True}),
    ("GET", "/log", {"status": 500}),
    ("*", "/workflows", {"drop": True}),
    ("*", "/workflows", {"drop": True, "after": True}),
    ("POST", "/workflows", {"drop": True, "after": True}),
    ("POST", "/workflows", {"status": 504, "after": True}),
    ("*", "/workflows", {"delay_seconds": 2.0}),
)
"""Method, pattern of path and query, what goes wrong."""


async def faults(setting: Setting) -> Outcome:
    """Let all around the server fail while stories are told, then let all heal."""
    async with setting.run(on_postgres=True) as (run, database):
        assert database is not None
        await run.begin()
        done = Counter[str]()
        github = RandomFaults(
            RATE, Random(setting.seed), tuple(way for way in WAYS if way not in FOR_A_MINUTE)
        )
        run.world.github.faults.random = github
        try:
            healing = await run.through(
                stories.chosen(FEW if setting.short else BUILDS, run.random),
                _spoil_cluster(run, done),
                _restart_api(run, done),
                _restart_database(run, database, done),
                calm=lambda: _calm(run.world),
            )
        finally:
            _calm(run.world)
        return await run.outcome(
            Figure("calls to GitHub spoilt", github.given.total()),
            Figure("failures of the API server", done["cluster"]),
            Figure("restarts of the API server", done["api"]),
            Figure("restarts of PostgreSQL", done["database"]),
            Figure("time to heal", healing, "s"),
        )


def _calm(world: World) -> None:
    world.github.faults.random = None
    world.cluster.faults.clear()


async def _spoil_cluster(run: Run, done: Counter[str]) -> None:
    while not run.over.is_set():
        await asyncio.sleep(run.random.uniform(*BETWEEN_SECONDS))
        if run.random.random() < 0.1:
            run.world.cluster.cut_watches()
        else:
            # One waits for its request at a time: heaped up, they would fail every request of a quiet time.
            run.world.cluster.faults.clear()
            method, path, how = run.random.choice(CLUSTER)
            run.world.cluster.faults.add(method, path, **how)
        done["cluster"] += 1


async def _restart_api(run: Run, done: Counter[str]) -> None:
    while not run.over.is_set():
        await asyncio.sleep(run.random.uniform(*RESTART_SECONDS))
        await run.world.api_away()
        try:
            await asyncio.sleep(run.random.uniform(*AWAY_SECONDS))
        finally:
            await run.world.api_back()
        done["api"] += 1


async def _restart_database(run: Run, database: Postgres, done: Counter[str]) -> None:
    while not run.over.is_set():
        await asyncio.sleep(run.random.uniform(*RESTART_SECONDS))
        # In one thread, which comes to its end whatever is cancelled meanwhile.
        await asyncio.to_thread(_restart, database, run.random.uniform(*AWAY_SECONDS))
        done["database"] += 1


def _restart(database: Postgres, seconds: float) -> None:
    database.stop()
    time.sleep(seconds)
    database.start()
