"""What is kept of a workflow for the server's pages, which outlive it."""

from __future__ import annotations

from datetime import datetime

from kubeci.model.check_run import CheckRun
from kubeci.model.report import Outcome, StepSeen
from kubeci.report.tree import Tree
from kubeci.workflow.status import WorkflowState

STEPS = 500
"""Steps kept of one workflow."""
MESSAGE = 1000
"""Characters kept of a step's message."""


def outcome_of(check: CheckRun, state: WorkflowState) -> Outcome:
    """Give what is kept: the check-run, and the steps that a person would look for."""
    return Outcome(state.phase, check, steps_of(state))


def steps_of(state: WorkflowState) -> tuple[StepSeen, ...]:
    """Give the steps in the order of the tree, as the check-run's table shows them."""
    tree = Tree(state)
    shown = [node for node in tree.nodes if tree.is_shown(node)]
    return tuple(
        StepSeen(
            node_id=node.id,
            label=tree.label(node),
            type=node.type,
            phase=node.phase,
            depth=sum(tree.is_shown(outer) for outer in tree.around(node)),
            message=node.message[:MESSAGE],
            started_at=_iso(node.started_at),
            finished_at=_iso(node.finished_at),
        )
        for node in shown[:STEPS]
    )


def _iso(time: datetime | None) -> str:
    return time.isoformat() if time else ""
