"""The table of a workflow's steps: state, name, duration, remarks."""

from __future__ import annotations

from collections import Counter

from kubeci.report.failures import Failure, reason
from kubeci.report.markdown import code, row, table
from kubeci.report.spans import since, span
from kubeci.report.tree import Tree
from kubeci.workflow.status import Node

ROWS = 100
BYTES = 28_000
"""What the table may take of a summary; further steps are counted."""

_INDENT = "\u2003"
_SIGNS = {
    "Succeeded": "✅",
    "Failed": "❌",
    "Error": "❌",
    "Running": "🔄",
    "Pending": "⏳",
    "Skipped": "⏭️",
    "Omitted": "⏭️",
}
_FIRST = {"Failed": 0, "Error": 0, "Running": 1, "Pending": 1}


def steps_table(tree: Tree, causes: list[Failure]) -> str:
    """Write the table; empty without nodes.

    More than `ROWS` steps: failed ones stand first, then those under way, each under its full name, and the last
    line counts what was left out.
    """
    nodes = [node for node in tree.nodes if tree.is_shown(node)]
    if not nodes:
        return ""
    allowed = {failure.node.id for failure in causes if failure.allowed}
    nested = len(nodes) <= ROWS
    if not nested:
        nodes.sort(key=lambda node: (_FIRST.get(node.phase, 2), node.id in allowed))
    rows: list[tuple[str, str, str, str]] = []
    used = 0
    for node in nodes[:ROWS]:
        cells = _cells(node, tree, allowed=node.id in allowed, nested=nested)
        used += len(row(cells).encode()) + 1
        if used > BYTES:
            break
        rows.append(cells)
    header = ("State", "Step", "Duration", "Remarks")
    columns = len(header) if any(cells[-1] for cells in rows) else len(header) - 1
    written = table(header[:columns], [cells[:columns] for cells in rows])
    return written + _left_out(nodes[len(rows) :])


def _cells(node: Node, tree: Tree, *, allowed: bool, nested: bool) -> tuple[str, str, str, str]:
    return (
        _state(node, allowed=allowed),
        _name(node, tree, nested=nested),
        _duration(node),
        _remarks(node, tree),
    )


def _state(node: Node, *, allowed: bool) -> str:
    if node.type == "Suspend" and node.phase == "Running":
        return "⏸️ Waiting"
    if allowed:
        return f"⚠️ {node.phase}"
    sign = _SIGNS.get(node.phase)
    return f"{sign} {node.phase}" if sign else f"❔ {code(node.phase, 20) or 'Unknown'}"


def _name(node: Node, tree: Tree, *, nested: bool) -> str:
    around = [outer for outer in tree.around(node) if tree.is_shown(outer)]
    if not nested:
        return " ▸ ".join(code(tree.label(step)) for step in [*reversed(around), node])
    return (f"{_INDENT * (len(around) - 1)}└ " if around else "") + code(tree.label(node))


def _duration(node: Node) -> str:
    if node.phase in {"Skipped", "Omitted"}:
        return ""
    if node.ended:
        return span(node.started_at, node.finished_at)
    return since(node.started_at) if node.phase == "Running" else ""


def _remarks(node: Node, tree: Tree) -> str:
    if node.type == "Suspend" and node.phase == "Running":
        return "waiting for a resume"
    inside = tree.inside(node)
    if node.type == "Retry" and len(inside) > 1:
        return f"{len(inside)} attempts"
    if node.phase == "Succeeded" or any(child.failed for child in inside):
        return ""
    return reason(node, tree, 120)


def _left_out(nodes: list[Node]) -> str:
    if not nodes:
        return ""
    counts = Counter(node.phase or "unknown" for node in nodes)
    listed = ", ".join(f"{number} {code(phase, 20)}" for phase, number in counts.most_common(8))
    return f"\n\n… and {len(nodes)} more steps: {listed}"
