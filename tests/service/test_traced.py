"""What is noted while a delivery is worked on is kept, and hinders nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.trace import StepKind, Trace
from kubeci.redaction import MASK, Redaction
from kubeci.service.traced import Recorder, Traced
from kubeci.tracing import LONGEST_TEXT, MOST_STEPS, called, note, recording

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "hush-hush-hush"
DELIVERY = Delivery("one", "push", b"{}", NOW)


class Kept:
    """Traces in memory, or a store that fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.traces: list[tuple[str, Trace]] = []
        self._fails = fails

    async def save(self, delivery_id: str, trace: Trace) -> None:
        if self._fails:
            raise UpstreamError("the disk is full", retryable=True)
        self.traces.append((delivery_id, trace))

    async def of(self, delivery_id: str) -> list[Trace]:
        return [trace for name, trace in self.traces if name == delivery_id]


def traced(kept: Kept, work: Callable[[], str]) -> Traced:
    async def perform(delivery: Delivery, *, last_attempt: bool = False) -> str:
        note(StepKind.DECIDED, f"{delivery.event} {last_attempt} {SECRET}")
        await asyncio.gather(asyncio.create_task(_inner()))
        return work()

    return Traced(perform, Recorder(kept, Redaction([SECRET]), "pod/1", lambda: NOW))


async def _inner() -> None:
    called("GitHub", "POST /graphql", 200, 0.1184)
    called("cluster", "GET /api", 0, 2.0)


def fail(error: Exception) -> str:
    raise error


async def test_what_was_done_is_kept_with_what_came_of_it() -> None:
    kept = Kept()
    assert (
        await traced(kept, lambda: f"submitted {SECRET}")(DELIVERY, last_attempt=True)
        == f"submitted {SECRET}"
    )
    [(name, trace)] = kept.traces
    assert (name, trace.began_at, trace.replica, trace.outcome) == ("one", NOW, "pod/1", f"submitted {MASK}")
    assert [(step.kind.value, step.text) for step in trace.steps] == [
        ("decided", f"push True {MASK}"),
        ("called", "GitHub POST /graphql 200, 118 ms"),
        ("called", "cluster GET /api no answer, 2000 ms"),
    ]


@pytest.mark.parametrize("error", [UpstreamError(f"no {SECRET}", retryable=True), ZeroDivisionError(SECRET)])
async def test_a_failure_is_kept_and_goes_on(error: Exception) -> None:
    kept = Kept()
    with pytest.raises(type(error)):
        await traced(kept, lambda: fail(error))(DELIVERY)
    [(_, trace)] = kept.traces
    assert trace.outcome == f"{type(error).__name__}: {error}".replace(SECRET, MASK)
    assert len(trace.steps) == 3


async def test_a_store_that_fails_stops_no_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert await traced(Kept(fails=True), lambda: "submitted")(DELIVERY) == "submitted"
    with pytest.raises(ZeroDivisionError):
        await traced(Kept(fails=True), lambda: fail(ZeroDivisionError()))(DELIVERY)
    assert capsys.readouterr().out.count("a trace could not be kept") == 2


async def test_two_at_once_do_not_mix() -> None:
    async def one(name: str) -> tuple[str, ...]:
        with recording() as record:
            for _ in range(3):
                note(StepKind.DECIDED, name)
                await asyncio.sleep(0)
        return tuple(step.text for step in record.steps)

    assert await asyncio.gather(one("a"), one("b")) == [("a",) * 3, ("b",) * 3]


def test_outside_of_a_recording_notes_go_nowhere() -> None:
    note(StepKind.DECIDED, "nobody hears it")
    with recording() as record:
        pass
    assert record.steps == ()


def test_steps_and_words_are_bounded() -> None:
    with recording(Redaction([SECRET])) as record:
        note(StepKind.EVALUATED, "x" * (LONGEST_TEXT - 5) + SECRET)
        for _ in range(MOST_STEPS + 6):
            note(StepKind.DECIDED, "y")
    assert len(record.steps) == MOST_STEPS
    assert record.dropped == 7
    assert record.steps[0].text == "x" * (LONGEST_TEXT - 5) + MASK[:5], "masked before it is cut"


@given(st.text(st.characters(), max_size=50))
def test_what_is_kept_can_be_written(text: str) -> None:
    with recording() as record:
        note(StepKind.DECIDED, text + "\ud800")
    record.steps[0].text.encode()
