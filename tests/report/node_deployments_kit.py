"""What the tests of steps that deploy share: rules, and workflows in a few words."""

from __future__ import annotations

from typing import Any

from kubeci.model.deployment import DeploymentState
from kubeci.report.deployments import DeployRules
from kubeci.settings.pattern import Pattern
from kubeci.workflow.status import WorkflowState, read_state

RULES = DeployRules(Pattern("^deploy"), "environment", "environmentURL", "https://argo.example.com")
IN_PROGRESS, SUCCESS, FAILURE, ERROR = (
    DeploymentState.IN_PROGRESS,
    DeploymentState.SUCCESS,
    DeploymentState.FAILURE,
    DeploymentState.ERROR,
)


def rules(pattern: str) -> DeployRules:
    return DeployRules(Pattern(pattern), "environment", "environmentURL", "https://argo.example.com")


def to(environment: object) -> dict[str, Any]:
    return {"parameters": [{"name": "environment", "value": environment}]}


def node(name: str, **fields: Any) -> dict[str, Any]:
    common = {"name": name, "displayName": name, "type": "Pod", "phase": "Running", "templateName": "deploy"}
    return common | {"boundaryID": "wf", "inputs": to("staging")} | fields


def workflow(
    nodes: dict[str, Any], phase: str = "Running", message: str = "", *, deleted: bool = False
) -> WorkflowState:
    root = {"wf": {"name": "wf", "type": "DAG", "phase": phase, "templateName": "ci"}}
    status = {"phase": phase, "message": message, "nodes": (root | nodes) if nodes else {}}
    return read_state({"metadata": {"namespace": "ci", "name": "wf"}, "status": status}, deleted=deleted)
