"""Ask GitHub again for what did not reach us, so that an outage heals without anybody's comment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from kubeci.errors import Invalid, NotFound, RateLimited, UpstreamError
from kubeci.model.attempt import Attempt
from kubeci.policy.redelivery import KEPT, Ours, Plan, plan, way_is_open
from kubeci.ports import HookDeliveries, Inbox, Marks
from kubeci.service.compare import Compared
from kubeci.service.queue import backoff_seconds
from kubeci.telemetry import Metrics

SWEPT, FIRST, COMPARED = "sweep", "sweep-first", "sweep-compared"
"""Marks: back to when all is settled, when the first sweep began, when heads were compared last.

The first two are by GitHub's times, of which our clock may be ahead: what it fails to deliver just then must be found.
"""
MISSED_FROM, MISSED_TO = "sweep-missed-from", "sweep-missed-to"
"""Marks: what is still to be found by comparing, where the first is before the second."""
OVERLAP = timedelta(minutes=3)
"""An attempt is listed when it was answered."""
JUST_NOW = timedelta(minutes=1)
"""What another server is taking while we begin is listed later than that."""
EVER = datetime.min.replace(tzinfo=UTC) + OVERLAP
PAGES = 200
"""Pages of a hundred attempts that one sweep reads at most; what is older is found by comparing."""
PROBES = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SweepPace:
    """How long the sweep waits for what, in seconds."""

    interval: float = 300.0
    """Between two sweeps."""
    begin: float = 10.0
    """Before the first: the way to a new process must be there."""
    soon: float = 60.0
    """Before the next one while something is not settled."""
    between: float = 0.5
    """Between two requests for a redelivery: 120 a minute are two thirds of what GitHub's secondary limit on points allows."""
    arrival: float = 20.0
    """For a redelivery to reach us."""
    look: float = 0.5
    """Between two looks whether it has."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the sweep works with."""

    hook: HookDeliveries
    inbox: Inbox
    marks: Marks
    compare: Callable[[datetime, datetime], Awaitable[Compared]]
    """Finds what happened between two moments by comparing."""
    read: Collection[tuple[str, str]]
    """Events with the actions that we read."""
    retention: timedelta
    """How long the inbox remembers."""
    clock: Callable[[], datetime]
    metrics: Metrics
    pace: SweepPace
    soon: Collection[tuple[str, str]] = ()
    """Those of `read` by which somebody asks for something."""


async def sweep(work: Sweep) -> None:
    """Sweep until cancelled, each time from the last complete sweep on; what fails is repeated."""
    sweeper, pace, failures = Sweeper(work), work.pace, 0
    work.metrics.sweep_completed.set(work.clock().timestamp())  # an alert counts from the start
    await asyncio.sleep(pace.begin)
    while True:
        try:
            settled = await sweeper.sweep()
            failures, pause = 0, pace.interval if settled else min(pace.soon, pace.interval)
        except UpstreamError as error:
            failures += 1
            pause = min(backoff_seconds(failures), pace.interval)
            if isinstance(error, RateLimited):
                pause = max(pause, error.retry_after)
            log.warning("the sweep failed", error=str(error))
        except Exception:
            failures, pause = failures + 1, pace.interval
            log.exception("the sweep failed by a defect of ours")
        await asyncio.sleep(pause)


class Sweeper:
    """Remembers between two sweeps what is not settled, so that each reads only what is new."""

    def __init__(self, work: Sweep) -> None:
        self._work = work
        self._read_to: datetime | None = None
        self._newest_at: datetime | None = None
        """When the list's newest attempt was seen first; what was under way then is listed some time later."""
        self._read_at = datetime.min.replace(tzinfo=UTC)
        self._open: tuple[Attempt, ...] = ()
        self._asked: dict[str, datetime] = {}
        self._given_up: set[str] = set()

    async def sweep(self) -> bool:
        """Sweep once; False: something is not settled, so that the next one is due soon.

        Raises `UpstreamError` when GitHub or the store fail; then nothing was marked as seen that was not: the list is
        settled by itself, and what is to be compared stays marked.
        """
        work, now = self._work, self._work.clock()
        mark, began = await work.marks.get(SWEPT), await work.marks.get(FIRST)
        kept = now - KEPT
        read_to = self._read_to or mark or EVER
        all_listed = self._newest_at is not None and self._read_at - self._newest_at >= OVERLAP
        wanted = read_to if all_listed else read_to - OVERLAP
        listed, reach = await self._listed(wanted, kept)
        newest = max((each.delivered_at for each in listed), default=None)
        if began is None:
            first = min(now, newest + JUST_NOW) if newest else now
            await work.marks.set(FIRST, first.replace(microsecond=0))  # GitHub gives whole seconds
        if self._newest_at is None or (newest and newest > read_to):
            self._newest_at = now
        read_to = max(read_to, newest or EVER)
        held = [each for each in self._open if each.delivered_at > kept]
        gap = reach if reach > wanted else kept if len(held) < len(self._open) else None
        attempts = [*held, *listed]
        # Before the first sweep another server may have taken them; after `retention` we have forgotten them.
        since = max(began, now - work.retention) if mark and began else None
        ours = await self._ours(attempts, since)
        found = plan(attempts, ours, now)
        self._tell(found)
        self._open = found.open
        self._asked = {guid: at for guid, at in self._asked.items() if guid in {a.guid for a in found.open}}
        await self._ask(found.due, way_open=way_is_open(attempts, ours))
        if mark and began and gap:
            await self._missed(max(mark, began), gap, now)
        await work.marks.set(SWEPT, found.oldest or (kept if read_to == EVER else read_to))
        self._read_to, self._read_at = read_to, now
        await self._compare(now)
        work.metrics.sweep_completed.set(now.timestamp())
        return not found.open

    async def _listed(self, back_to: datetime, kept: datetime) -> tuple[list[Attempt], datetime]:
        """Read the list back to a moment; gives it, and how far back it holds all: to `kept`, or not where it is too long."""
        found: list[Attempt] = []
        cursor = ""
        for _ in range(PAGES):
            page = await self._work.hook.page(cursor)
            found += (each for each in page.attempts if each.delivered_at >= back_to)
            cursor = page.older
            if any(each.delivered_at < back_to for each in page.attempts):
                return found, back_to
            if not cursor:
                return found, max(back_to, kept)
        return found, min((each.delivered_at for each in found), default=back_to)

    async def _ours(self, attempts: Sequence[Attempt], since: datetime | None) -> Ours:
        read = self._work.read
        guids = {each.guid for each in attempts if (each.event, each.action or "") in read}
        known = await self._work.inbox.known(guids) if guids else frozenset()
        return Ours(read, known, since, self._asked, self._work.soon)

    async def _ask(self, due: Sequence[Attempt], *, way_open: bool) -> None:
        """Ask for what is due; while nothing reaches us, for a few that show whether something does."""
        if not due:
            return
        probes, rest = ((), due) if way_open else (due[:PROBES], due[PROBES:])
        for each in probes:
            await self._redeliver(each)
        if probes and rest and not await self._arrived({each.guid for each in probes}):
            log.warning("redeliveries do not arrive; the others wait", waiting=len(rest))
            return
        for each in rest:
            await self._redeliver(each)
        log.info("deliveries were asked for again", deliveries=len(due))

    async def _redeliver(self, attempt: Attempt) -> None:
        # Even when it fails: one that cannot be had must not keep the others from their turn.
        self._asked[attempt.guid] = self._work.clock()
        try:
            await self._work.hook.redeliver(attempt)
        except (NotFound, Invalid) as error:
            log.warning("a delivery cannot be had again", delivery=attempt.guid, error=str(error))
        else:
            self._work.metrics.missed_deliveries.labels("redelivered").inc()
        await asyncio.sleep(self._work.pace.between)

    async def _arrived(self, guids: Collection[str]) -> bool:
        pace = self._work.pace
        for _ in range(max(1, round(pace.arrival / pace.look))):
            if await self._work.inbox.known(guids):
                return True
            await asyncio.sleep(pace.look)
        return False

    async def _missed(self, since: datetime, until: datetime, now: datetime) -> None:
        """Note that GitHub's list tells nothing any more of what was before `until`, so that it is compared."""
        marks = self._work.marks
        compared = await marks.get(COMPARED)
        if since >= until or (compared and until <= compared <= now):
            return
        begun = await self._window()
        if begun is None:
            await marks.set(MISSED_FROM, since)
        elif since <= begun[0]:
            return  # nothing was read since, so that nothing else is missed
        await marks.set(MISSED_TO, until)

    async def _window(self) -> tuple[datetime, datetime] | None:
        since, until = [await self._work.marks.get(name) for name in (MISSED_FROM, MISSED_TO)]
        return (since, until) if since and until and since < until else None

    async def _compare(self, now: datetime) -> None:
        """Compare heads with check-runs, where that is still to be done."""
        work, window = self._work, await self._window()
        if window is None:
            return
        since, until = window
        log.info("looking for what is older than GitHub's list", since=since.isoformat())
        found = await work.compare(since - OVERLAP, until + OVERLAP)
        work.metrics.missed_deliveries.labels("made").inc(found.made)
        work.metrics.uncompared_repositories.inc(found.given_up)
        await work.marks.set(COMPARED, now)
        await work.marks.set(MISSED_FROM, until)

    def _tell(self, found: Plan) -> None:
        for each in found.given_up:
            if each.guid not in self._given_up:
                event = f"{each.event} {each.action or ''}".strip()
                log.warning(
                    "a delivery is given up", delivery=each.guid, github_event=event, status=each.status_code
                )
        self._given_up = {each.guid for each in found.given_up}
