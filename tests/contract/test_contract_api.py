from __future__ import annotations

import json
from pathlib import Path

import pytest
from contract_fields import FIELDS
from contract_reads import READS
from contract_requests import Case, play
from contract_target import Target
from contract_watches import NO_LOGS, WATCHES
from contract_writes import WRITES

ANSWERS = Path(__file__).parents[1] / "data" / "contract"
CASES = [*WRITES, *FIELDS, *READS, *WATCHES, *NO_LOGS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_answer_alike(case: Case, target: Target, update_golden: bool) -> None:
    given = play(case, target)
    assert [each["status"] for each in given] == [ask.gives for ask in case.asks]
    recorded = ANSWERS / f"{case.name}.json"
    if update_golden and not target.local:
        recorded.write_text(json.dumps(given, indent=1, sort_keys=True) + "\n")
    expected = json.loads(recorded.read_text())
    for number, (ask, one, other) in enumerate(zip(case.asks, given, expected, strict=True)):
        assert one == other, f"request {number}: {ask.method} {ask.path}"


def test_no_answer_is_left_over() -> None:
    assert {path.stem for path in ANSWERS.glob("*.json")} == {case.name for case in CASES}
