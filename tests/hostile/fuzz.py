"""Fuzzing of what reads foreign input: each target is a name, a strategy and a property.

A property takes one value, and raises when something is wrong: an error that is none of ours, a law that does not hold,
more processor time than `MAX_SECONDS`.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fuzz_definitions import DEFINITIONS
from fuzz_github import GITHUB
from fuzz_target import Target
from fuzz_texts import TEXTS
from hypothesis import HealthCheck, Phase, given, settings

from kubeci.errors import KubeCIError

MAX_SECONDS = 1.0
"""Processor time of one value; the largest has some ten thousand characters."""
TARGETS: tuple[Target, ...] = (*GITHUB, *DEFINITIONS, *TEXTS)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of fuzzing one target; `finding` is empty when all held."""

    name: str
    cases: int
    finding: str = ""


def fuzz(target: Target, examples: int) -> Tried:
    """Try so many values; gives how many were tried, and the first finding in its smallest form."""
    cases = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(target.values)
    def law(value: Any) -> None:
        nonlocal cases
        cases += 1
        tried(target, value)

    try:
        law()
    except Exception as error:  # noqa: BLE001 - a finding is whatever comes out
        return Tried(target.name, cases, f"{type(error).__name__}: {error}"[:2_000])
    return Tried(target.name, cases)


def tried(target: Target, value: Any) -> None:
    """Hold one value against a target's property and the time that it may take; errors of ours are answers."""
    started = time.thread_time()
    with suppress(KubeCIError):
        target.holds(value)
    took = time.thread_time() - started
    assert took < MAX_SECONDS, f"{target.name} took {took:.1f} s"


def main() -> int:
    """Fuzz every target with as many values as the argument says; 1 when there is a finding."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    ended = [fuzz(target, examples) for target in TARGETS]
    for each in ended:
        sys.stdout.write(f"{each.name:<28} {each.cases:>8} cases  {each.finding}\n")
    findings = sum(bool(each.finding) for each in ended)
    sys.stdout.write(f"{sum(each.cases for each in ended)} cases tried, {findings} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
