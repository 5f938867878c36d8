"""A workflow's nodes as a person reads them: without Argo's step groups, under the names that the author gave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kubeci.report.plain import one_line
from kubeci.workflow.status import Node, WorkflowState

_AROUND = frozenset({"Steps", "DAG", "StepGroup", "TaskGroup"})


class Tree:
    """The nodes of one state, found by what is around and inside them."""

    def __init__(self, state: WorkflowState) -> None:
        self.state = state
        self.nodes = state.nodes
        self._by_id = {node.id: node for node in state.nodes}
        self._inside: dict[str, list[Node]] = defaultdict(list)
        for node in state.nodes:
            self._inside[node.parent].append(node)

    def inside(self, node: Node) -> list[Node]:
        """Give the nodes directly inside a node, in the order of their running."""
        return self._inside.get(node.id, [])

    def around(self, node: Node) -> Iterator[Node]:
        """Give the nodes around a node, the closest first."""
        parent = self._by_id.get(node.parent)
        while parent:
            yield parent
            parent = self._by_id.get(parent.parent)

    def is_shown(self, node: Node) -> bool:
        """Say whether a node has a row: step groups have none, nor has the pipeline as a whole."""
        if node.type == "StepGroup":
            return False
        return not (node.name == self.state.name and node.type in _AROUND and self.inside(node))

    def shown(self, node: Node) -> Node:
        """Give the node itself, or for a step group the steps it belongs to."""
        while node.type == "StepGroup" and node.parent in self._by_id:
            node = self._by_id[node.parent]
        return node

    def label(self, node: Node) -> str:
        """Give the author's name for a node, in plain text."""
        if node.name == self.state.name:
            return one_line(node.template_name or node.display_name, 80)
        return one_line(node.display_name.removeprefix(f"{self.state.name}."), 80)

    def label_of(self, node_id: str) -> str:
        """Give the author's name for a node's id, or the id where there is no such node."""
        node = self._by_id.get(node_id)
        return self.label(self.shown(node)) if node else one_line(node_id, 80)

    def steps(self) -> list[Node]:
        """Give the nodes that do something, retried ones once."""
        return [
            node
            for node in self.nodes
            if node.type not in _AROUND | {"Container"} and not self.is_attempt(node)
        ]

    def is_attempt(self, node: Node) -> bool:
        """Say whether a node is one attempt of a retried one."""
        parent = self._by_id.get(node.parent)
        return parent is not None and parent.type == "Retry"
