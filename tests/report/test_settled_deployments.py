"""Deployments of what has ended or is gone, and the one that asked for the workflow."""

from __future__ import annotations

import pytest
from node_deployments_kit import ERROR, IN_PROGRESS, RULES, SUCCESS, node, workflow

from kubeci.model.deployment import DeploymentState
from kubeci.model.report import DeploymentTold
from kubeci.report.deployments import asked_for, left_behind, wanted
from kubeci.workflow.status import WorkflowState, read_state


@pytest.mark.parametrize(
    ("phase", "deleted", "state", "description"),
    [
        ("Running", False, IN_PROGRESS, ""),
        ("Running", True, ERROR, "the workflow was deleted"),
        ("Failed", False, ERROR, "the workflow ended before this step did"),
        ("Succeeded", False, SUCCESS, ""),
    ],
)
def test_an_ended_workflow_leaves_nothing_in_progress(
    phase: str, state: DeploymentState, description: str, *, deleted: bool
) -> None:
    found, _ = wanted(workflow({"a": node("wf.a")}, phase, deleted=deleted), RULES)
    assert [(each.state, each.description) for each in found] == [(state, description)]


def test_nodes_that_are_gone_are_settled() -> None:
    told = {
        "a": DeploymentTold(1, "in_progress", "staging"),
        "b": DeploymentTold(2, "success", "staging"),
        "c": DeploymentTold(0, "", "staging"),
    }
    gone = workflow({}, "", deleted=True)
    (left,) = left_behind(gone, [], told)
    assert (left.node_id, left.environment, left.state, left.description) == (
        "a",
        "staging",
        ERROR,
        "the workflow was deleted",
    )
    assert left_behind(workflow({}), [], told) == []
    assert left_behind(gone, [left], told) == []
    unreadable = read_state(
        {"metadata": {"name": "wf"}, "status": {"phase": "Succeeded", "offloadNodeStatusVersion": "x"}}
    )
    assert [each.state for each in left_behind(unreadable, [], told)] == [SUCCESS]


NOTHING = DeploymentTold()


@pytest.mark.parametrize(
    ("state", "told", "expected"),
    [
        (workflow({}), NOTHING, None),
        (workflow({"a": node("wf.a")}), NOTHING, (IN_PROGRESS, "")),
        (workflow({"a": node("wf.a")}, "Succeeded"), NOTHING, (SUCCESS, "")),
        (workflow({}, "Error", "invalid spec"), NOTHING, (ERROR, "invalid spec")),
        (workflow({}, "", deleted=True), NOTHING, (ERROR, "the workflow was deleted")),
        (workflow({}, "", deleted=True), DeploymentTold(5, "success"), None),
    ],
)
def test_the_deployment_that_asked(
    state: WorkflowState, told: DeploymentTold, expected: tuple[DeploymentState, str] | None
) -> None:
    found = asked_for(state, "live", told, RULES)
    assert (found and (found.state, found.description)) == expected
    assert found is None or (found.node_id, found.environment) == ("wf", "live")
