"""Build the sweep: what asks GitHub again for what did not reach us."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from kubeci.assembly.routes import Core
from kubeci.github.app import GitHubApp
from kubeci.github.events import ACTIONS
from kubeci.github.hook_deliveries import GitHubHookDeliveries
from kubeci.ports import Marks
from kubeci.service.background import Duty
from kubeci.service.sweep import Sweep, SweepPace, sweep


def sweep_duties(core: Core, github: GitHubApp, marks: Marks, pace: SweepPace) -> list[Duty]:
    """Give the sweep as a duty; none, where the settings want none."""
    config = core.rooms.config
    if not config.sweep_interval.seconds:
        return []
    work = Sweep(
        hook=GitHubHookDeliveries(github),
        inbox=core.inbox,
        marks=marks,
        compare=_nothing,
        read=frozenset(ACTIONS),
        retention=timedelta(seconds=config.retention.seconds),
        clock=core.rooms.clock,
        metrics=core.metrics,
        pace=replace(pace, interval=config.sweep_interval.seconds),
    )
    return [partial(sweep, work)]


async def _nothing(*_args: object) -> int:
    return 0
