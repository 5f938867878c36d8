"""Which pod and which containers stand for a node."""

from __future__ import annotations

from kubeci.workflow.status import Node, WorkflowState

MAIN = "main"
PREFIX_LIMIT = 242  # 253 characters of a pod's name, less a dash and the ten digits of the hash


def pod_name(workflow_name: str, node: Node, *, format_version: str = "") -> str:
    """Give the name of a node's pod.

    `format_version` is the annotation `workflows.argoproj.io/pod-name-format`: `v1` names the pod by the node's id,
    which begins with the workflow's name; everything else is v2, the default: `{workflow}-{template}-{FNV-1a of the node's name}`, where the part before the
    hash is cut, and the workflow's own name where the node is the whole workflow.
    """
    # Argo names each node after its workflow. Another id was written by somebody who would have us read another's pod.
    own = node.id == workflow_name or node.id.startswith(f"{workflow_name}-")
    if format_version == "v1" and own:
        return node.id
    if node.name == workflow_name:
        return workflow_name
    # An inline template has no name.
    prefix = f"{workflow_name}-{node.template_name}" if node.template_name else workflow_name
    return f"{prefix[:PREFIX_LIMIT]}-{_fnv1a(node.name)}"


def containers_of(state: WorkflowState, node: Node) -> tuple[str, ...]:
    """Give the containers of a node's pod that hold the author's output: `main`, or those of a container set."""
    names = (
        other.name.removeprefix(f"{node.name}.")
        for other in state.nodes
        if other.type == "Container" and other.boundary_id == node.id
    )
    return tuple(names) or (MAIN,)


def _fnv1a(text: str) -> int:
    number = 0x811C9DC5
    for byte in text.encode(errors="replace"):
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number
