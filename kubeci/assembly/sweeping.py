"""Build the sweep: what asks GitHub again for what did not reach us."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from kubeci.assembly.routes import Core
from kubeci.github.app import GitHubApp
from kubeci.github.events import ACTIONS, ASKED
from kubeci.github.heads import GitHubHeads
from kubeci.github.hook_deliveries import GitHubHookDeliveries
from kubeci.ports import Marks
from kubeci.service.background import Duty
from kubeci.service.compare import Comparison
from kubeci.service.sweep import Sweep, SweepPace, sweep


def sweep_duties(core: Core, github: GitHubApp, marks: Marks, pace: SweepPace) -> list[Duty]:
    """Give the sweep as a duty; none, where the settings want none."""
    config = core.rooms.config
    if not config.sweep_interval.seconds:
        return []
    comparison = Comparison(
        heads=GitHubHeads(github),
        builds=core.rooms.builds,
        inbox=core.inbox,
        admission=core.admission,
        clock=core.rooms.clock,
        wake=core.arrived.set,
    )
    work = Sweep(
        hook=GitHubHookDeliveries(github),
        inbox=core.inbox,
        marks=marks,
        compare=comparison.compare,
        read=frozenset(ACTIONS),
        soon=frozenset(ASKED),
        retention=timedelta(seconds=config.retention.seconds),
        clock=core.rooms.clock,
        metrics=core.metrics,
        pace=replace(pace, interval=config.sweep_interval.seconds),
    )
    return [partial(sweep, work)]
