"""What a recording keeps: no part of a secret, and no more than is bounded."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from kubeci.model.trace import StepKind, Trace
from kubeci.redaction import MASK, Redaction
from kubeci.tracing import MOST_BYTES, MOST_READ, MOST_STEPS, Recording, note, recording

SECRET = "supersecretvalue-1234567890"


@pytest.mark.parametrize("shown", range(1, len(SECRET)))
def test_a_secret_at_the_cut_is_masked_whole(shown: int) -> None:
    before = SECRET * (MOST_READ // len(SECRET) - 2)
    before += "." * (MOST_READ - shown - len(before))
    told = Recording(Redaction([SECRET]), lambda: 0.0).fit(before + SECRET)
    assert told.replace(MASK, "").strip(".") == ""


@pytest.mark.parametrize("letter", ["a", "\0", "é", "😀", '"'])
@pytest.mark.parametrize("kind", StepKind)
def test_a_recording_is_bounded_whatever_is_noted(letter: str, kind: StepKind) -> None:
    with recording() as record:
        for _ in range(MOST_STEPS):
            note(kind, letter * 3_000)
    encoded = msgspec.json.encode(Trace(dt.datetime.now(dt.UTC), "r", record.steps, "x", 0))
    assert len(encoded) < MOST_BYTES + 1_000
    assert record.dropped + len(record.steps) == MOST_STEPS


def test_what_a_definition_says_leaves_room_for_what_comes_of_it() -> None:
    with recording() as record:
        for _ in range(MOST_STEPS - 20):
            note(StepKind.EVALUATED, "x" * 3_000)
        for _ in range(10):
            note(StepKind.REPORTED, "y" * 2_000)
    assert [step.text for step in record.steps if step.kind is StepKind.REPORTED] == ["y" * 2_000] * 10
