"""What a suite's check-runs come to."""

from __future__ import annotations

from kubeci.local.github.state import CheckRun, CheckSuite


def latest(runs: list[CheckRun]) -> list[CheckRun]:
    """Keep the newest check-run of each name (`filter=latest`), newest first."""
    newest: dict[str, CheckRun] = {}
    for run in sorted(runs, key=lambda each: each.id, reverse=True):
        newest.setdefault(run.name, run)
    return list(newest.values())


# The worst of a suite's runs decides; what a person must act on comes first.
_WEIGHTS = ("action_required", "timed_out", "cancelled", "failure", "neutral", "skipped", "success")


def summed_up(suite: CheckSuite, runs: list[CheckRun]) -> tuple[str, str | None]:
    """Give the status and conclusion of a suite from its newest check-runs."""
    newest = latest(runs)
    if not newest or suite.reopened:
        return "queued", None
    if any(run.status != "completed" for run in newest):
        return ("queued" if all(run.status == "queued" for run in newest) else "in_progress"), None
    conclusions = {run.conclusion for run in newest}
    if conclusions & {"success"} and conclusions <= {"success", "neutral", "skipped"}:
        return "completed", "success"
    return "completed", next((word for word in _WEIGHTS if word in conclusions), "neutral")
