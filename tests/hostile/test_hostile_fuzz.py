"""A few values for each target of fuzzing; `chaos` tries many."""

from __future__ import annotations

import pytest
from fuzz import TARGETS, fuzz
from fuzz_target import Target
from hypothesis import strategies as st

EXAMPLES = 40


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_what_reads_foreign_input_holds(target: Target) -> None:
    tried = fuzz(target, EXAMPLES)
    assert tried.finding == ""
    assert tried.cases >= EXAMPLES // 2


def test_a_finding_is_told() -> None:
    def fails(number: int) -> None:
        raise ZeroDivisionError(number)

    tried = fuzz(Target("x", st.just(3), fails), 5)
    assert (tried.name, tried.finding) == ("x", "ZeroDivisionError: 3")
