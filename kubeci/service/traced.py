"""Keep what is done for each delivery, attempt by attempt, so that an operator can look it up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.trace import Trace
from kubeci.ports import Traces
from kubeci.redaction import Redaction
from kubeci.service.intake import Perform
from kubeci.tracing import Recording, recording

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where traces go, and in whose name they are kept."""

    traces: Traces
    redaction: Redaction
    replica: str
    clock: Callable[[], datetime]


class Traced:
    """Does what `perform` does, and keeps a trace of each attempt, be it one that failed.

    A store that does not take the trace does not stop the work: it is logged.
    """

    def __init__(self, perform: Perform, recorder: Recorder) -> None:
        self._perform = perform
        self._recorder = recorder

    async def __call__(self, delivery: Delivery, *, last_attempt: bool = False) -> str:
        """Do what a delivery asks for; gives and raises what the work does."""
        began = self._recorder.clock()
        with recording(self._recorder.redaction) as record:
            try:
                outcome = await self._perform(delivery, last_attempt=last_attempt)
            except Exception as error:
                await self._save(delivery, began, record, f"{type(error).__name__}: {error}")
                raise
        await self._save(delivery, began, record, outcome)
        return outcome

    async def _save(self, delivery: Delivery, began: datetime, record: Recording, outcome: str) -> None:
        trace = Trace(began, self._recorder.replica, record.steps, record.fit(outcome), record.dropped)
        try:
            await self._recorder.traces.save(delivery.id, trace)
        except UpstreamError as error:
            log.warning("a trace could not be kept", delivery=delivery.id, error=str(error))
