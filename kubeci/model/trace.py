"""What was done for a delivery, step by step, so that an operator can say why something was built or was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StepKind(StrEnum):
    """What a step of a trace tells."""

    DECIDED = "decided"
    """What is to be done, and why."""
    EVALUATED = "evaluated"
    """What a definition said, loaded and printed."""
    CALLED = "called"
    """One request to GitHub, the cluster or another service, with its answer's status."""
    REPORTED = "reported"
    """What was written where people see it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `after_seconds` since the attempt began, and what it tells in a sentence."""

    kind: StepKind
    after_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One attempt at a delivery's work, on one replica."""

    began_at: datetime
    replica: str
    steps: tuple[Step, ...]
    outcome: str
    """What came of the attempt, or why it failed."""
    dropped: int = 0
    """Steps that were left out, as there were too many."""
