"""Kill replicas at random points: after a random time, or right when a request of theirs was answered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from random import Random

from chaos.replicas import Replica, Replicas
from kubeci.local.cluster.door import Asked
from kubeci.local.github.api import RecordedRequest

UPTIME_SECONDS = (0.2, 8.0)
BUSY_UPTIME_SECONDS = (0.1, 3.0)
"""Where the work goes on beside a kill, or there is little of it."""
CALM_SECONDS = (35.0, 50.0)
CALM_EVERY = 8
"""One life in so many is long enough to lead, and to sweep for what was missed: stories wait for that. With two replicas one in
twice as many is, while which the other is killed."""
AIM_SECONDS = 3.0
AIM_LOOK_SECONDS = 0.002
LATE_SECONDS = 0.04
"""A kill that is aimed at a request comes up to so much later, when what follows it is under way."""
DOWN_SECONDS = (0.0, 1.5)
AIMS = (
    ("POST", "/check-runs"),
    ("PATCH", "/check-runs/"),
    ("POST", "/access_tokens"),
    ("POST", "/workflows"),
    ("PATCH", "/workflows/"),
    ("GET", "/log"),
)


class Killer:
    """Kills one replica at a time, each by its own process."""

    def __init__(
        self,
        replicas: Replicas,
        random: Random,
        *,
        calm: bool = True,
        uptime: tuple[float, float] = UPTIME_SECONDS,
    ) -> None:
        """Kill these, each after so many seconds at least and at most; `calm`: let one live long now and then."""
        self._replicas = replicas
        self._random = random
        self._calm = calm
        self._uptime = uptime
        self._world = replicas.each[0].world

    async def run(self, until: asyncio.Event) -> None:
        """Kill again and again until the event; the replicas run at the end."""
        for life in count(1):
            if until.is_set():
                return
            replica = self._random.choice(self._replicas.each)
            if self._calm and life % (CALM_EVERY * len(self._replicas.each)) == 0:
                await self._spare(replica, until)
            else:
                await _pause(until, self._random.uniform(*self._uptime))
            await self._strike(replica)

    async def _spare(self, spared: Replica, until: asyncio.Event) -> None:
        """Let one live for long, and kill the others meanwhile."""
        others = [each for each in self._replicas.each if each is not spared]
        clock = asyncio.get_running_loop().time
        over = clock() + self._random.uniform(*CALM_SECONDS)
        while others and not until.is_set() and clock() < over:
            await _pause(until, self._random.uniform(*self._uptime))
            await self._strike(self._random.choice(others))
        await _pause(until, over - clock())

    async def _strike(self, replica: Replica) -> None:
        """Kill one at a time that is chosen for it, perhaps again while it starts, and start it again."""
        if self._random.random() < 0.6:
            await self._aim(*self._random.choice(AIMS))
        await self._kill(replica)
        if self._random.random() < 0.1:  # while it starts
            await replica.spawn()
            await asyncio.sleep(self._random.uniform(0.3, 2.0))
            await self._kill(replica)
        await replica.spawn()
        await replica.answers()

    async def _kill(self, replica: Replica) -> None:
        await replica.kill()
        self._replicas.kills += 1
        await asyncio.sleep(self._random.uniform(*DOWN_SECONDS))

    async def _aim(self, method: str, part: str) -> None:
        """Wait for the next request of a kind to GitHub or the API server, not for long."""
        before = self._newest()
        for _ in range(int(AIM_SECONDS / AIM_LOOK_SECONDS)):
            newest = self._newest()
            if any(
                each and each not in before and each.method == method and part in each.path for each in newest
            ):
                break
            await asyncio.sleep(AIM_LOOK_SECONDS)
        await asyncio.sleep(self._random.uniform(0.0, LATE_SECONDS))

    def _newest(self) -> tuple[RecordedRequest | Asked | None, ...]:
        """Give the newest request of either."""
        return tuple(
            each[-1] if each else None for each in (self._world.github.requests, self._world.cluster.requests)
        )


async def _pause(until: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until the event."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
