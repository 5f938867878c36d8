"""The check-runs of manual steps (contract, section 6)."""

from __future__ import annotations

from dataclasses import replace

from kubeci.model.build import ManualStep
from kubeci.model.check_run import Action, CheckRun, Conclusion, Status
from kubeci.report.errors import RUN_BUTTON
from kubeci.report.markdown import cut
from kubeci.report.plain import plain

TITLE = "Manual Step"
SKIPPED_TITLE = "Manual Step - Skipped"
SKIP_BUTTON = Action("Skip", "mark as complete without running", "skip")


def check_name_of(template: str) -> str:
    """Give the name of a template's check-run."""
    return f"Workflow - {template}"


def offered(step: ManualStep, details_url: str) -> CheckRun:
    """Give the check-run of a step that waits for somebody; an essential one blocks a merge that requires it."""
    return CheckRun(
        name=check_name_of(step.template),
        status=Status.COMPLETED,
        conclusion=Conclusion.ACTION_REQUIRED if step.essential else Conclusion.NEUTRAL,
        title=TITLE,
        summary="Use the button above to manually trigger this workflow template",
        details_url=details_url,
        external_id=step.template,
        actions=(RUN_BUTTON, SKIP_BUTTON),
    )


def skipped(step: ManualStep, details_url: str, login: str) -> CheckRun:
    """Give the check-run of a step that somebody skipped; it can still be run."""
    return replace(
        offered(step, details_url),
        conclusion=Conclusion.NEUTRAL,
        title=SKIPPED_TITLE,
        summary=cut(f"User {plain(login)} skipped this manual action"),
        actions=(RUN_BUTTON,),
    )
