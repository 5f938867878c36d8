from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kubeci.model.check_run import CheckRun, Conclusion, Status
from kubeci.model.report import Budget, Reported
from kubeci.report.pacing import LONGEST, is_urgent, progress_interval, progress_withheld


@pytest.mark.parametrize(
    ("remaining", "limit", "seconds", "withheld"),
    [
        (5000, 5000, 30, False),
        (2500, 5000, 60, False),
        (500, 5000, 300, False),
        (250, 5000, 600, False),
        (249, 5000, 600, True),
        (-1, 5000, 600, True),
        (0, 0, 30, False),
    ],
)
def test_progress_slows_down_as_the_budget_shrinks(
    remaining: int,
    limit: int,
    seconds: int,
    withheld: bool,
) -> None:
    budget = Budget(remaining, limit)
    assert progress_interval(budget) == timedelta(seconds=seconds)
    assert progress_withheld(budget) is withheld


def test_the_interval_never_shrinks_with_the_budget() -> None:
    intervals = [progress_interval(Budget(remaining, 5000)) for remaining in range(5000, -1, -50)]
    assert intervals == sorted(intervals)
    assert intervals[-1] <= LONGEST


@pytest.mark.parametrize(
    ("status", "written", "urgent"),
    [
        (Status.QUEUED, False, False),
        (Status.IN_PROGRESS, False, True),
        (Status.IN_PROGRESS, True, False),
        (Status.COMPLETED, True, True),
    ],
)
def test_first_progress_and_end_go_out_at_once(status: Status, written: bool, urgent: bool) -> None:
    check = CheckRun("n", status, "t", "s", Conclusion.SUCCESS if status is Status.COMPLETED else None)
    assert (
        is_urgent(check, Reported(written_at=datetime(2026, 1, 1, tzinfo=UTC) if written else None)) is urgent
    )
