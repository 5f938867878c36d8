"""What was asked for, and when each of it was there."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from chaos.judge import Due, Place, Verdict, judge
from chaos.world import World

LOOK_SECONDS = 0.2


@dataclass(slots=True)
class _Asked:
    due: Due
    at: float
    number: int
    """How many check-runs of this place were due before it."""
    seconds: float | None = None
    """From the event to the end of its check-run."""


@dataclass(slots=True)
class Ledger:
    """The dues of a scenario, held against what GitHub shows."""

    world: World
    _asked: list[_Asked] = field(default_factory=list)
    _ended: Counter[Place] = field(default_factory=Counter)

    def ask(self, due: Due) -> Due:
        """Note that something was asked for just now."""
        before = sum(each.due.place == due.place for each in self._asked)
        self._asked.append(_Asked(due, time.monotonic(), before))
        return due

    @property
    def due(self) -> list[Due]:
        """Give all that is due."""
        return [each.due for each in self._asked]

    @property
    def builds(self) -> int:
        """Count the builds that were asked for."""
        return sum(each.due.workflow for each in self._asked)

    @property
    def done(self) -> int:
        """Count the dues whose check-runs ended."""
        return sum(each.seconds is not None for each in self._asked)

    @property
    def longest_seconds(self) -> float:
        """Give the longest time from an event to its check-run's end; what had to be stopped does not count."""
        times = [each.seconds for each in self._asked if each.due.conclusions != {"cancelled"}]
        return max((seconds for seconds in times if seconds is not None), default=0.0)

    def ended(self, place: Place) -> int:
        """Say how many check-runs of a place had ended at the last look."""
        return self._ended[place]

    def verdict(self) -> Verdict:
        """Judge what there is."""
        return judge(self.due, self.world.seen())

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self._ended = self.world.ended()
            now = time.monotonic()
            for each in self._asked:
                if each.seconds is None and self._ended[each.due.place] > each.number:
                    each.seconds = now - each.at
            await asyncio.sleep(LOOK_SECONDS)
