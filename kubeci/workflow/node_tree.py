"""The order in which a person reads a workflow's nodes.

Argo chains nodes by `children` (a step's children are the *next* group) and nests them by `boundaryID` (the steps or
DAG around a node). Neither alone is the tree that the author wrote.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kubeci.workflow.node import Node

_GROUPS = frozenset({"Retry", "TaskGroup", "StepGroup"})


def tree_order(nodes: Sequence[Node], *, root: str) -> tuple[Node, ...]:
    """Sort nodes so that each follows the one around it, siblings in the order of their running.

    `root` is the id of the workflow's own node. `parent` and `depth` are filled in. Nodes in a circle, which Argo
    never writes, come last, each on its own.
    """
    by_id = {node.id: node for node in nodes}
    order = _running_order(by_id, root)
    parents = _parents(by_id)
    inside: dict[str, list[str]] = defaultdict(list)
    for node_id in order:
        inside[parents[node_id]].append(node_id)
    placed: dict[str, Node] = {}
    stack = [(node_id, "", 0) for node_id in reversed(inside[""])]
    while stack:
        node_id, parent, depth = stack.pop()
        placed[node_id] = replace(by_id[node_id], parent=parent, depth=depth)
        stack.extend((child, node_id, depth + 1) for child in reversed(inside[node_id]))
    circular = (by_id[node_id] for node_id in order if node_id not in placed)
    return (*placed.values(), *circular)


def _running_order(by_id: Mapping[str, Node], root: str) -> list[str]:
    """Order ids so that each follows those it waited for; the root first, exit handlers after it."""
    children = {
        node.id: [child for child in dict.fromkeys(node.children) if child in by_id and child != node.id]
        for node in by_id.values()
    }
    waits: dict[str, int] = defaultdict(int)
    for ids in children.values():
        for child in ids:
            waits[child] += 1
    starts = sorted(
        (node for node in by_id.values() if not waits[node.id]), key=lambda node: _begin(node, root)
    )
    queue = deque(node.id for node in starts)
    order: list[str] = []
    while queue:
        node_id = queue.popleft()
        order.append(node_id)
        for child in children[node_id]:
            waits[child] -= 1
            if not waits[child]:
                queue.append(child)
    done = set(order)
    rest = sorted(
        (node for node in by_id.values() if node.id not in done), key=lambda node: _begin(node, root)
    )
    return order + [node.id for node in rest]


def _begin(node: Node, root: str) -> tuple[bool, float, str]:
    started = node.started_at.timestamp() if node.started_at else float("inf")
    return (node.id != root, started, node.id)


def _parents(by_id: Mapping[str, Node]) -> dict[str, str]:
    """Map each id to that of the node around it: the closest group that lists it and begins its name."""
    parents = {
        node.id: node.boundary_id if node.boundary_id in by_id and node.boundary_id != node.id else ""
        for node in by_id.values()
    }
    groups = sorted(
        (node for node in by_id.values() if node.type in _GROUPS), key=lambda node: len(node.name)
    )
    for group in groups:
        for child in _members(group, by_id):
            parents[child] = group.id
    return parents


def _members(group: Node, by_id: Mapping[str, Node]) -> Iterable[str]:
    """Give the ids of a group's own children; an empty group's are the nodes that come after it."""
    for child in group.children:
        node = by_id.get(child)
        if node and node.name.startswith((f"{group.name}(", f"{group.name}.")):
            yield child
