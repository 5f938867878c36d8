"""When progress is worth a request (GitHub: an installation's requests an hour are limited)."""

from __future__ import annotations

from datetime import timedelta

from kubeci.model.check_run import CheckRun, Status
from kubeci.model.report import Budget, Reported

SHORTEST = timedelta(seconds=30)
LONGEST = timedelta(minutes=10)
RESERVE = 0.05
"""The share of the budget that is kept for creations and conclusions."""


def progress_interval(budget: Budget) -> timedelta:
    """Give the least time between two writes of progress: it grows as what is left of the budget shrinks."""
    return min(LONGEST, SHORTEST / max(_share(budget), RESERVE))


def progress_withheld(budget: Budget) -> bool:
    """Say whether no progress is to be written at all until the budget is renewed."""
    return _share(budget) < RESERVE


def is_urgent(check: CheckRun, reported: Reported) -> bool:
    """Say whether a content goes out at once: the first progress, unless a limit has just passed, and the end."""
    if check.status is Status.COMPLETED:
        return True
    return check.status is Status.IN_PROGRESS and reported.written_at is None


def _share(budget: Budget) -> float:
    # No limit is known before GitHub's first answer.
    return max(0, budget.remaining) / budget.limit if budget.limit > 0 else 1.0
