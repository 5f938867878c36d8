"""The content of a workflow's check-run (contract, section 6).

The same state gives the same bytes: the difference to what GitHub was told last is what gets sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeci.model.check_run import Action, CheckRun, Conclusion, Status
from kubeci.model.report import NodeLog
from kubeci.report.failures import failures
from kubeci.report.headline import headline
from kubeci.report.logs import failure_details, refused_logs
from kubeci.report.markdown import code, cut
from kubeci.report.notes import with_notes
from kubeci.report.plain import plain
from kubeci.report.steps import steps_table
from kubeci.report.tree import Tree
from kubeci.workflow.status import WorkflowState

SETUP_TITLE = "Workflow Setup"
SETUP_SUMMARY = "Creating workflow"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report needs to know of a build beside its workflow's state.

    `warnings` are sentences for the author, `prints` what the definition printed, `loaded` what it
    loaded from elsewhere. `stopped` says why it was stopped, where no newer build is the reason. `superseded_by` names the newer build that took this one's place.
    """

    check_name: str
    external_id: str
    details_url: str
    warnings: tuple[str, ...] = ()
    prints: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    superseded_by: str = ""
    stopped: str = ""
    cache_scope: str = ""


CANCEL_BUTTON = Action("Cancel", "stop the workflow", "cancel")
TERMINATE_BUTTON = Action("Terminate", "end it without its exit handlers", "cancel")
CLEAR_BUTTONS = {
    "branch": Action("Clear Cache", "delete the cache volume for this build", "clearCacheBranch"),
    "project": Action("Clear Cache", "delete the cache volume for this build", "clearCache"),
}


def setup(subject: Subject) -> CheckRun:
    """Give the content of a check-run whose workflow has not begun."""
    return CheckRun(
        name=subject.check_name,
        status=Status.QUEUED,
        title=SETUP_TITLE,
        summary=SETUP_SUMMARY,
        details_url=subject.details_url,
        external_id=subject.external_id,
        actions=_buttons(subject, ended=False),
    )


def report(subject: Subject, state: WorkflowState, logs: Mapping[str, NodeLog]) -> CheckRun:
    """Give the content for a workflow's state; `logs` maps node ids to what was kept of ended nodes' logs."""
    conclusion = conclude(subject, state)
    if conclusion is None and not state.phase and not state.nodes:
        return setup(subject)
    check = CheckRun(
        name=subject.check_name,
        status=Status.IN_PROGRESS if conclusion is None else Status.COMPLETED,
        conclusion=conclusion,
        title=f"Workflow Run ({state.namespace}/{state.name})",
        summary=_summary(subject, state, logs),
        details_url=subject.details_url,
        external_id=subject.external_id,
        actions=_buttons(subject, ended=conclusion is not None),
    )
    warnings = (*subject.warnings, *refused_logs(logs))
    return with_notes(check, warnings=warnings, prints=subject.prints, loaded=subject.loaded)


def _buttons(subject: Subject, *, ended: bool) -> tuple[Action, ...]:
    """Give what can be done about a build: stop it while it runs, clear its cache when it has one."""
    stopping = subject.stopped or subject.superseded_by
    stop = () if ended else (TERMINATE_BUTTON if stopping else CANCEL_BUTTON,)
    clear = CLEAR_BUTTONS.get(subject.cache_scope)
    # Clearing takes the pods away that hold the volume, so it waits for the end.
    return (clear,) if ended and clear else stop


def conclude(subject: Subject, state: WorkflowState) -> Conclusion | None:
    """Say how a workflow's state ends its check-run; None: it goes on.

    A success stands even if a newer build came meanwhile: it was too late to stop it.
    """
    if state.phase == "Succeeded":
        return Conclusion.SUCCESS
    if not state.ended:
        return None
    if subject.superseded_by or subject.stopped or state.phase not in {"Failed", "Error"}:
        return Conclusion.CANCELLED
    return Conclusion.FAILURE


def _summary(subject: Subject, state: WorkflowState, logs: Mapping[str, NodeLog]) -> str:
    tree = Tree(state)
    causes = failures(tree)
    blocks = [headline(tree, causes, stopped=_why_stopped(subject)), *failure_details(causes, logs)]
    blocks.append(steps_table(tree, causes))
    if state.nodes_missing:
        blocks.append("The steps cannot be shown: there are so many that Argo keeps them elsewhere.")
    return cut("\n\n".join(filter(None, blocks)) + "\n")


def _why_stopped(subject: Subject) -> str:
    return f"superseded by {code(subject.superseded_by)}" if subject.superseded_by else plain(subject.stopped)
