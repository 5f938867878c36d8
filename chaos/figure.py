"""What a scenario gives: figures, some of which must be zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.judge import Verdict


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `zero`: anything else is a fault."""

    what: str
    value: float
    unit: str = ""
    zero: bool = False

    @property
    def wrong(self) -> bool:
        """Say whether it should be zero and is not."""
        return self.zero and self.value != 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario; `trouble` tells a person what is not as it must be, and why that may be."""

    figures: Sequence[Figure]
    trouble: str = ""


_WORDS = {
    "lost": "events lost",
    "wrong": "wrong conclusions",
    "left_open": "check-runs left open",
    "doubled_check_runs": "check-runs doubled",
    "doubled_workflows": "workflows doubled",
    "remarks_lost": "annotations lost",
    "remarks_doubled": "annotations doubled",
}


def zeros(verdict: Verdict) -> list[Figure]:
    """Give the figures that must be zero."""
    found = verdict.faults()
    return [Figure(words, len(found.get(name, ())), zero=True) for name, words in _WORDS.items()]
