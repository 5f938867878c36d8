"""Note what is done for a delivery while it is done; outside of a recording, notes go nowhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from kubeci.model.trace import Step, StepKind
from kubeci.redaction import Redaction

MOST_STEPS = 400
LONGEST_TEXT = 2_000
MOST_BYTES = 64_000
"""What a recording's steps take as JSON, so that twenty attempts of a delivery stay near a megabyte."""
MOST_EVALUATED_BYTES = MOST_BYTES // 2
"""What of it a definition may fill with its own words: decisions and reports come after them."""
STEP_BYTES = 80
"""What a step takes beside its text."""
MOST_READ = 50_000
"""Characters of a note that are looked through for secrets; what comes behind is not kept."""

_current: ContextVar[Recording | None] = ContextVar("kubeci_recording", default=None)
# A context variable, as tracing has everywhere: each task carries its own, and no signature has to.


class Recording:
    """The steps of one attempt, in their order, without secrets; those beyond a bound are counted only."""

    def __init__(self, redaction: Redaction, monotonic: Callable[[], float]) -> None:
        self._redaction = redaction
        self._monotonic = monotonic
        self._began = monotonic()
        self._steps: list[Step] = []
        self._bytes = dict.fromkeys(StepKind, 0)
        self.dropped = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """Give what was noted so far."""
        return tuple(self._steps)

    def add(self, kind: StepKind, text: str) -> None:
        """Note a step."""
        if len(self._steps) >= MOST_STEPS:
            self.dropped += 1
            return
        kept = self.fit(text)
        size = len(msgspec.json.encode(kept)) + STEP_BYTES
        evaluated = self._bytes[StepKind.EVALUATED] + size if kind is StepKind.EVALUATED else 0
        if sum(self._bytes.values()) + size > MOST_BYTES or evaluated > MOST_EVALUATED_BYTES:
            self.dropped += 1
            return
        self._bytes[kind] += size
        after = round(self._monotonic() - self._began, 3)
        self._steps.append(Step(kind, after, kept))

    def fit(self, text: str) -> str:
        """Give a text as it may be kept: without secrets, of bounded length, in whole characters."""
        # Masked before it is cut: a part of a secret would not be known for one.
        masked = self._redaction.first(text, MOST_READ)[:LONGEST_TEXT]
        return masked.encode("utf-8", "replace").decode()


@contextmanager
def recording(
    redaction: Redaction | None = None, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Recording]:
    """Record what this task, and those that it starts, note inside the block."""
    record = Recording(redaction or Redaction(), monotonic)
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)


def note(kind: StepKind, text: str) -> None:
    """Note a step of the attempt that is under way, if one is."""
    record = _current.get()
    if record is not None:
        record.add(kind, text)


def called(whom: str, call: str, status: int, seconds: float) -> None:
    """Note a request with its answer's status (0: no answer came) and its time; `call` names a route, never an address."""
    note(StepKind.CALLED, f"{whom} {call} {status or 'no answer'}, {seconds * 1000:.0f} ms")
