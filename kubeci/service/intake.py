"""Work on the inbox: each delivery is done, tried again later, or set aside with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from kubeci.errors import KubeCIError, RateLimited, Unready, UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.inbox import DEFERRED, LIMITED, WAITS, Wanted
from kubeci.ports import Inbox
from kubeci.service.exclusive import Busy
from kubeci.service.gate import Gate
from kubeci.service.held import CLAIM, ClaimLost, held
from kubeci.service.patience import LONGEST_DEFERRAL, has_time, kind_of, pause_after
from kubeci.service.queue import backoff_seconds
from kubeci.service.workload import Workload, waits

MAX_ATTEMPTS = (
    8  # about two minutes of backoff; then work is deferred where that may help, else parked with its reason
)
IDLE_SECONDS = 5.0
"""Between two looks while nothing arrives: what another process stored, or left behind, is found by them."""
ALONE_SECONDS = 60.0
"""After so long others may begin beside work that is done alone: what ends a process does so sooner. For so long, too, they
are kept out until that begins, and then let in again."""
BUSY_PAUSE = 3
"""What waits for other work on the same is tried again as after so many failures."""

log = structlog.get_logger(__name__)


class Perform(Protocol):
    """Does what a delivery asks for, and says what came of it."""

    async def __call__(self, delivery: Delivery, *, last_attempt: bool = False) -> str:
        """Raise `UpstreamError` where trying again can help."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What time it is, and how many seconds to wait before the next try after so many."""

    clock: Callable[[], datetime]
    backoff: Callable[[int], float] = backoff_seconds
    idle_seconds: float = IDLE_SECONDS
    """Between two looks while nothing arrives."""


class Intake:
    """Takes deliveries out of the inbox, a few at a time."""

    def __init__(
        self,
        inbox: Inbox,
        perform: Perform,
        *,
        wakes: asyncio.Event,
        schedule: Schedule,
    ) -> None:
        """Let `perform` do what each delivery asks for; `wakes` is set by those who store one."""
        self._inbox = inbox
        self._perform = perform
        self._clock = schedule.clock
        self._backoff = schedule.backoff
        self._idle_seconds = schedule.idle_seconds
        self._arrived = wakes
        self._cause = ""
        """What the last delivery waits for that does; with it the operator is told once, however many wait."""
        self._workload = Workload()
        self._looking = asyncio.Lock()
        """Held by the worker that looks for a delivery or waits for one: the others wait for it rather than ask the store,
        and each choice knows of the last."""
        self._gate = Gate()

    async def run(self, *, workers: int = 4) -> None:
        """Work until cancelled; what an earlier process had claimed is taken up again first."""
        try:
            if released := await self._inbox.release():
                log.info("taking up deliveries that were under way", deliveries=released)
        except UpstreamError as error:  # their claims run out by themselves
            log.warning("the store fails", error=str(error))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._repeat(self._next))
            group.create_task(self._repeat(self._next_suspect))

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            try:
                await work()
                failures = 0
            except UpstreamError as error:  # the store's: what the work raises ends in `_handle`
                failures += 1
                log.warning("the store fails", error=str(error))
                await asyncio.sleep(self._backoff(failures))

    async def _next(self) -> None:
        async with AsyncExitStack() as inside:
            async with self._looking:
                claimed = await self._look(inside)
            if claimed:
                await self._work(*claimed)

    async def _look(self, inside: AsyncExitStack) -> tuple[Delivery, float] | None:
        """Claim a delivery and stay in the gate with it; None: there was none, and then something happened."""
        await inside.enter_async_context(self._gate.shared())
        self._arrived.clear()
        wanted = self._workload.wanted(self._clock())
        if claimed := await self._claim(wanted):
            return claimed
        await inside.aclose()
        await self._idle(wanted)
        return None

    async def _next_suspect(self) -> None:
        """Work alone on a delivery whose last attempts ended with their process, so that it does not end others' too."""
        if not await self._inbox.suspects(self._clock()):
            await asyncio.sleep(self._idle_seconds)
            return
        async with self._gate.alone(ALONE_SECONDS) as alone:
            if alone and (claimed := await self._claim(Wanted(alone=True))):
                await self._work(*claimed)
        if not alone:
            await asyncio.sleep(ALONE_SECONDS)

    async def _claim(self, wanted: Wanted) -> tuple[Delivery, float] | None:
        """Claim a delivery; gives when it was asked for, too, by the event loop's time."""
        now, asked = self._clock(), asyncio.get_running_loop().time()
        delivery = await self._inbox.claim(now, now + CLAIM, wanted)
        if delivery is None:
            return None
        self._workload.began(delivery)
        return delivery, asked

    async def _work(self, delivery: Delivery, asked: float) -> None:
        try:
            if delivery.lost < MAX_ATTEMPTS:
                await self._handle(delivery, asked)
                return
            # Work that fails is counted and parked below; this one's process ended each time.
            await self._inbox.park(delivery.id, "its work ended the server each time that it was tried")
            log.error("delivery ends the server", delivery=delivery.id, github_event=delivery.event)
        finally:
            self._workload.ended(delivery)
            self._inbox.let_go(delivery.id)
            self._arrived.set()  # another about the same commit may have waited for this

    async def _idle(self, wanted: Wanted) -> None:
        due, now = await self._inbox.next_due(wanted), self._clock()
        soonest = self._workload.soonest(due, now)
        seconds = (soonest - now) / timedelta(seconds=1) if soonest else self._idle_seconds
        # Not wait_for: in Python 3.11 it can swallow a cancellation.
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, 0.01), self._idle_seconds)):
                await self._arrived.wait()

    async def _handle(self, delivery: Delivery, asked: float) -> None:
        bound = log.bind(delivery=delivery.id, github_event=delivery.event, attempt=delivery.attempts)
        try:
            async with held(delivery, self._inbox, self._clock, asked):
                outcome = await self._perform(delivery, last_attempt=_is_last(delivery))
        except ClaimLost as error:
            bound.warning("delivery is another's", error=str(error))
            return
        except UpstreamError as error:
            if error.retryable and has_time(delivery.wanted_at, self._clock()):
                await self._again(delivery, error, bound)
                return
            await self._failed(delivery, error, retryable=error.retryable)
            bound.warning("delivery failed", error=str(error), retryable=error.retryable)
        except KubeCIError as error:
            await self._failed(delivery, error, retryable=False)
            bound.warning("delivery failed", error=str(error))
        except Exception as error:  # noqa: BLE001 - a defect of ours must not stop the intake
            await self._failed(delivery, error, retryable=True)
            bound.exception("delivery failed by a defect of ours")
        else:
            self._workload.succeeded()
            await self._inbox.done(delivery.id, outcome)
            bound.info("delivery done", outcome=outcome)
        if waits(delivery):
            self._cause = ""

    async def _again(
        self, delivery: Delivery, error: UpstreamError, bound: structlog.typing.FilteringBoundLogger
    ) -> None:
        """Try a delivery again later, for which there is time."""
        if isinstance(error, Busy):
            kept = delivery.reason if delivery.reason.startswith((WAITS, DEFERRED)) else f"Busy: {error}"
            due = self._clock() + timedelta(seconds=self._backoff(BUSY_PAUSE))
            await self._inbox.retry(delivery.id, kept, due, counted=False)
        # What waits for the cluster already is tried for hours, in which GitHub may fail too.
        elif isinstance(error, Unready) or waits(delivery):
            await self._wait(delivery, error, bound)
        elif isinstance(error, RateLimited) or _is_last(delivery):
            await self._defer(delivery, error, bound)
        else:
            await self._failed(delivery, error, retryable=True)
            bound.warning("delivery failed", error=str(error), retryable=True)

    async def _defer(
        self, delivery: Delivery, error: UpstreamError, bound: structlog.typing.FilteringBoundLogger
    ) -> None:
        """Try a delivery again later without counting the attempt: GitHub fails, or wants no requests for a while."""
        if not delivery.reason.startswith((DEFERRED, LIMITED)):
            bound.warning("delivery is deferred", error=str(error))
        now, last = self._clock(), _is_last(delivery)
        pause = timedelta(seconds=self._backoff(MAX_ATTEMPTS if last else 1))
        if last:
            pause = pause_after(now - delivery.wanted_at, pause, LONGEST_DEFERRAL)
        if isinstance(error, RateLimited):
            pause = max(pause, timedelta(seconds=error.retry_after))
        reason = f"{DEFERRED if last else ''}{type(error).__name__}: {error}"
        await self._inbox.retry(delivery.id, reason, now + pause, counted=False)

    async def _wait(
        self, delivery: Delivery, error: UpstreamError, bound: structlog.typing.FilteringBoundLogger
    ) -> None:
        """Try a delivery again later without counting the attempt: the cluster cannot take it yet."""
        if isinstance(error, Unready) and self._cause != error.public:
            self._cause = error.public
            log.warning("builds wait for the cluster", because=error.public, error=str(error))
        reason = f"{WAITS}{error}"
        if kind_of(delivery.reason) != kind_of(reason):
            bound.info("delivery waits", because=error.public)
        now = self._clock()
        pause = pause_after(now - delivery.wanted_at, timedelta(seconds=self._backoff(1)))
        if isinstance(error, RateLimited):
            pause = max(pause, timedelta(seconds=error.retry_after))
        self._workload.must_wait(delivery, error, now + pause)
        await self._inbox.retry(delivery.id, reason, now + pause, counted=False)

    async def _failed(self, delivery: Delivery, error: Exception, *, retryable: bool) -> None:
        reason = f"{type(error).__name__}: {error}"
        if not retryable or delivery.attempts >= MAX_ATTEMPTS:
            await self._inbox.park(delivery.id, reason)
            return
        seconds = self._backoff(delivery.attempts)
        if isinstance(error, RateLimited):
            seconds = max(seconds, error.retry_after)
        await self._inbox.retry(delivery.id, reason, self._clock() + timedelta(seconds=seconds))


def _is_last(delivery: Delivery) -> bool:
    """Say whether whoever waits for an answer is to get it now, be it that the work could not be done.

    Of what is deferred the attempts are counted anew, so that those remain few which ended the process.
    """
    return delivery.attempts >= MAX_ATTEMPTS or delivery.reason.startswith(DEFERRED)
