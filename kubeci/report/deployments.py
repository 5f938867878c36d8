"""Which of a workflow's nodes are deployments, and how far each is (contract, section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from kubeci.model.deployment import DeploymentState
from kubeci.model.report import DeploymentTold
from kubeci.report.plain import one_line
from kubeci.settings.pattern import Pattern
from kubeci.workflow.deploy import deploys
from kubeci.workflow.node import Node
from kubeci.workflow.status import WorkflowState

MAX_DEPLOYMENTS = 100  # of one workflow; each costs a request and two statuses
MAX_ENVIRONMENT = 255  # characters that GitHub takes for a name
MAX_URL = 2_000
MAX_DESCRIPTION = 140

STATES = {
    "Running": DeploymentState.IN_PROGRESS,
    "Succeeded": DeploymentState.SUCCESS,
    "Failed": DeploymentState.FAILURE,
    "Error": DeploymentState.ERROR,
}
"""What a node's phase amounts to; others (Pending, Skipped, Omitted) deploy nothing, or nothing yet."""

_GROUPS = frozenset({"StepGroup", "TaskGroup", "Skipped", "Container"})
"""Nodes that carry the name of a template which others run: a group's, a pod's container's, a step's that was skipped."""


@dataclass(frozen=True, slots=True)
class DeployRules:
    """Which templates deploy (an empty pattern: none), the names of the parameters that matter, and the Argo UI's address."""

    templates: Pattern
    environment_parameter: str
    url_parameter: str
    argo_ui: str


@dataclass(frozen=True, slots=True)
class NodeDeployment:
    """One node that deploys; `template` is its task, `environment_url` is empty where the node gives none."""

    node_id: str
    template: str
    environment: str
    state: DeploymentState
    log_url: str
    environment_url: str = ""
    description: str = ""


def wanted(state: WorkflowState, rules: DeployRules) -> tuple[list[NodeDeployment], list[str]]:
    """Give the deployments that a workflow's nodes amount to, in the order of the tree, and what its author should know.

    A node and its attempts are one deployment: the retry's own node, whose id stays when the workflow is retried.
    """
    found: list[NodeDeployment] = []
    warnings: dict[str, None] = {}
    for node in _deploying(state, rules):
        problem = _problem(node, rules)
        if problem:
            warnings.setdefault(problem)
        elif len(found) == MAX_DEPLOYMENTS:
            warnings.setdefault(
                f"more than {MAX_DEPLOYMENTS} steps deploy; the others are not shown on GitHub"
            )
        elif deployment := _deployment_of(state, node, rules):
            found.append(deployment)
    return found, list(warnings)


def asked_for(
    state: WorkflowState, environment: str, told: DeploymentTold, rules: DeployRules
) -> NodeDeployment | None:
    """Give what the deployment that asked for a workflow amounts to: its root node, or while that is missing its end.

    None: it has not begun, or its end was told before the workflow was deleted.
    """
    root = next((node for node in state.nodes if node.id == state.name), None)
    if root is None and state.deleted:
        if told.state not in {"", DeploymentState.IN_PROGRESS}:
            return None
        return _left(state, NodeDeployment(state.name, "", environment, DeploymentState.ERROR, ""))
    if root is None:
        phase = state.phase if state.ended else ""
        root = Node(state.name, state.name, state.name, type="", phase=phase, message=state.message)
    found = _deployment_of(state, root, rules)
    return found and replace(found, environment=environment)


def left_behind(
    state: WorkflowState, found: Iterable[NodeDeployment], told: Mapping[str, DeploymentTold]
) -> list[NodeDeployment]:
    """Give the deployments that an ended workflow left in progress: their nodes are gone, or cannot be read any more."""
    if not state.ended:
        return []
    known = {each.node_id for each in found}
    return [
        _left(state, NodeDeployment(node_id, "", each.environment, DeploymentState.ERROR, ""))
        for node_id, each in told.items()
        if each.deployment_id and each.state == DeploymentState.IN_PROGRESS and node_id not in known
    ]


def _deployment_of(state: WorkflowState, node: Node, rules: DeployRules) -> NodeDeployment | None:
    reached = STATES.get(node.phase)
    if reached is None:
        return None
    found = NodeDeployment(
        node_id=node.id,
        template=node.template_name,
        environment=node.inputs.get(rules.environment_parameter, ""),
        state=reached,
        log_url=node_url(state, node.id, rules.argo_ui),
        environment_url=environment_url(node, rules.url_parameter),
        description=one_line(node.message, MAX_DESCRIPTION) if node.failed else "",
    )
    return _left(state, found) if state.ended and reached is DeploymentState.IN_PROGRESS else found


def _left(state: WorkflowState, deployment: NodeDeployment) -> NodeDeployment:
    """Settle what did not come to its own end: nobody will ever know, unless the workflow as a whole succeeded."""
    if state.phase == "Succeeded" and not state.deleted:
        return replace(deployment, state=DeploymentState.SUCCESS)
    why = "the workflow was deleted" if state.deleted else "the workflow ended before this step did"
    return replace(deployment, state=DeploymentState.ERROR, description=why)


def node_url(state: WorkflowState, node_id: str, argo_ui: str) -> str:
    """Give the address at which the Argo UI shows a node with its inputs and outputs."""
    path = f"{quote(state.namespace, safe='')}/{quote(state.name, safe='')}"
    panel = f"?tab=workflow&nodeId={quote(node_id, safe='')}&nodePanelView=inputs-outputs"
    return f"{argo_ui}/workflows/{path}{panel}"


def environment_url(node: Node, parameter: str) -> str:
    """Give the address that a node says its deployment is seen at; empty when it gives none that a browser could open."""
    url = node.outputs.get(parameter, "").strip()
    if not url.lower().startswith(("http://", "https://")) or len(url) > MAX_URL:
        return ""
    return url if url.isprintable() and not any(each.isspace() for each in url) else ""


def _deploying(state: WorkflowState, rules: DeployRules) -> Iterator[Node]:
    by_id = {node.id: node for node in state.nodes}
    for node in state.nodes:
        if node.type in _GROUPS or node.phase in {"Skipped", "Omitted"}:
            continue
        around = by_id.get(node.parent)
        if around and around.type == "Retry" and around.template_name == node.template_name:
            continue
        if deploys(rules.templates, node.template_name):
            yield node


def _problem(node: Node, rules: DeployRules) -> str:
    """Say why a node that should be a deployment is none; empty: it is one."""
    template, parameter = one_line(node.template_name, 60), rules.environment_parameter
    environment = node.inputs.get(parameter)
    if environment is None:
        return f"the template `{template}` deploys, but has no input parameter `{parameter}`: GitHub shows no deployment"
    if not environment.strip():
        return f"the step `{one_line(node.display_name, 60)}` deploys, but its `{parameter}` is empty: GitHub shows no deployment"
    if len(environment) > MAX_ENVIRONMENT:
        return (
            f"the step `{one_line(node.display_name, 60)}` deploys to an environment whose name has {len(environment):,} "
            f"characters, GitHub takes {MAX_ENVIRONMENT}: it shows no deployment"
        )
    return ""
