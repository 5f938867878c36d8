"""One scenario from its first event to the verdict: stories are told while harm is done, then all has to heal."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chaos import stories
from chaos.diagnosis import diagnosis
from chaos.figure import Figure, Outcome, zeros
from chaos.ledger import Ledger
from chaos.replicas import Replicas
from chaos.store import rows, unfinished, unknown
from chaos.world import World


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a scenario lasts at most, in seconds, and how many stories are told at once."""

    work: float = 540.0
    """While harm is done."""
    heal: float = 600.0
    """From the last harm to the last delivery: one that failed four times while harm was done is asked for again eight minutes
    after that, and the sweep asks for two a second."""
    at_once: int = 24


SHORT = Patience(work=60.0, heal=120.0, at_once=4)
QUIET_SECONDS = 5.0
"""For so long nothing may be under way: what doubles something late does so after a sweep, of which there is one every two
seconds."""
STEP_SECONDS = 5.0
BEGIN_SECONDS = 60.0
STORY_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Run:
    """What a scenario works with."""

    world: World
    replicas: Replicas
    store: str
    random: Random
    tell: Callable[[str], None]
    """Takes a line for who watches."""
    ledger: Ledger
    patience: Patience
    started: float = field(default_factory=time.monotonic)
    allowed: Callable[[], float] = lambda: math.inf
    """Gives how many builds may be asked for so far; a story that comes too early waits."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when no more harm is to be done."""
    stuck: list[str] = field(default_factory=list)
    """Stories that did not come to their end."""

    async def begin(self) -> None:
        """Start the replicas, and wait until one has swept: of what was before that, another server may have taken care."""
        await self.replicas.start()
        async with asyncio.timeout(BEGIN_SECONDS):
            while not await rows(self.store, "SELECT name FROM marks WHERE name = 'sweep'"):
                await asyncio.sleep(0.5)

    async def through(
        self,
        chosen: Sequence[stories.Story],
        *harm: Coroutine[Any, Any, None],
        calm: Callable[[], None] = lambda: None,
    ) -> float:
        """Tell stories while harm is done, then let all heal; gives the seconds that this took.

        Harm ends when `over` is set: all is told, or it took too long; then no further story is begun. `calm` ends what
        harm is left.
        """
        watching = [asyncio.create_task(each) for each in (self.ledger.watch(), self._progress())]
        telling = asyncio.create_task(self._tell(chosen))
        harming = [asyncio.create_task(each) for each in harm]
        try:
            done, _ = await asyncio.wait(
                [telling, *harming], timeout=self.patience.work, return_when=asyncio.FIRST_EXCEPTION
            )
            for task in done:
                task.result()
            self.over.set()
            await asyncio.gather(*harming)
            await self.world.github.settled()
            calm()
            await self.replicas.start()
            return await self._healed(telling)
        finally:
            for task in [*watching, telling, *harming]:
                task.cancel()
            await asyncio.gather(*watching, telling, *harming, return_exceptions=True)

    async def _tell(self, chosen: Sequence[stories.Story]) -> None:
        """Tell the stories, some at once."""
        room = asyncio.Semaphore(self.patience.at_once)

        async def one(number: int, story: stories.Story) -> None:
            async with room:
                while self.ledger.builds >= self.allowed() and not self.over.is_set():
                    await asyncio.sleep(STORY_LOOK_SECONDS)
                if self.over.is_set():
                    return
                teller = stories.Teller(
                    self.world, self.ledger, self.replicas.front, self.random, number, story.__name__
                )
                try:
                    await story(teller)
                except TimeoutError:
                    self.stuck.append(f"{teller.repository} {teller.branch}")
                # The next begins some time after this one's build, so that there is work whenever a server dies.
                await asyncio.sleep(self.random.uniform(0.0, 2.0))

        async with asyncio.TaskGroup() as group:
            for number, story in enumerate(chosen, start=1):
                group.create_task(one(number, story))
        self.over.set()

    async def _healed(self, telling: asyncio.Task[None]) -> float:
        """Wait until all that is due is there and nothing is under way any more; gives the seconds that it took."""
        begun = time.monotonic()
        self.tell("no more harm; what was missed is asked of GitHub again when it is a minute old")
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience.heal):
                await telling
                while self.ledger.done < len(self.ledger.due) or self.ledger.verdict().faults():
                    await asyncio.sleep(0.5)
                seconds = time.monotonic() - begun
                await self._quiet()
                return seconds
        return time.monotonic() - begun

    async def _quiet(self) -> None:
        """Wait until nothing was under way for a while.

        Each build may be there long before that: a push of which the check suite was built is asked for again when it is a
        minute old, and then waits some seconds for a check suite.
        """
        busy_at = time.monotonic()
        while time.monotonic() - busy_at < QUIET_SECONDS:
            if await unknown(self.store, self.world.unanswered()) or await unfinished(self.store):
                busy_at = time.monotonic()
            await asyncio.sleep(0.5)

    async def _progress(self) -> None:
        """Say every few seconds how far it is, until cancelled."""
        while True:
            await asyncio.sleep(STEP_SECONDS)
            self.tell(
                f"{time.monotonic() - self.started:4.0f} s: {self.ledger.builds} builds asked for, "
                f"{self.ledger.done} of {len(self.ledger.due)} check-runs ended, {self.replicas.kills} kills"
            )

    async def outcome(self, *figures: Figure) -> Outcome:
        """Judge, and say what a person needs where something is wrong."""
        verdict = self.ledger.verdict()
        missed = await unknown(self.store, self.world.unanswered())
        late = await unfinished(self.store)
        found = [
            *zeros(verdict),
            Figure("deliveries not taken", len(missed), zero=True),
            Figure("deliveries not done", len(late), zero=True),
            Figure("builds asked for", self.ledger.builds),
            *figures,
            Figure("longest, event to conclusion", self.ledger.longest_seconds, "s"),
            Figure("time", time.monotonic() - self.started, "s"),
        ]
        trouble = ""
        if any(figure.wrong for figure in found):
            trouble = await diagnosis(verdict, self.ledger.due, self.world, self.replicas, self.store)
            trouble += "".join(f"\nstory not told to its end: {each}" for each in self.stuck)
        return Outcome(found, trouble)
