"""Which steps made a workflow fail, and why, in words that help."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from kubeci.report.markdown import code
from kubeci.report.tree import Tree
from kubeci.workflow.status import Node

_CHILD_FAILED = re.compile(r"child '([^']*)' failed")
_EXIT = re.compile(r"[\w.-]+: Error \(exit code (\d+)\)(?:: (.*))?", re.DOTALL)
_SHUTDOWN = re.compile(r"workflow shutdown with strategy:\s*(\w+)")


@dataclass(frozen=True, slots=True)
class Failure:
    """One step that failed; `node` is where its log and its message are, the reasons are Markdown.

    `allowed`: the author lets the workflow go on (`continueOn`). `stopped`: it failed only since the workflow was
    ended. `attempts` counts the tries of a retried step (0: it is not retried).
    """

    node: Node
    label: str
    reason: str
    short_reason: str
    allowed: bool
    stopped: bool
    attempts: int


def failures(tree: Tree) -> list[Failure]:
    """Find the failed steps in which nothing else failed: those that count first, in the order of their running."""
    found = [_failure(node, tree) for node in tree.nodes if node.failed and _is_cause(node, tree)]
    return sorted(found, key=lambda failure: (failure.allowed, failure.stopped))


def _is_cause(node: Node, tree: Tree) -> bool:
    if any(child.failed for child in tree.inside(node)):
        return False
    return not any(_retried_since(inner, outer, tree) for inner, outer in _chain(node, tree))


def _chain(node: Node, tree: Tree) -> list[tuple[Node, Node]]:
    around = [node, *tree.around(node)]
    return list(pairwise(around))


def _retried_since(inner: Node, outer: Node, tree: Tree) -> bool:
    """Say whether `inner` is an attempt after which another was made or may still be made."""
    return outer.type == "Retry" and (not outer.failed or tree.inside(outer)[-1].id != inner.id)


def _failure(node: Node, tree: Tree) -> Failure:
    around = list(tree.around(node))
    retry = around[0] if tree.is_attempt(node) else None
    return Failure(
        node=node,
        label=tree.label(retry or tree.shown(node)),
        reason=reason(node, tree),
        short_reason=reason(node, tree, 120),
        allowed=tree.state.phase == "Succeeded" or any(outer.phase == "Succeeded" for outer in around),
        stopped=bool(_SHUTDOWN.match(node.message)),
        attempts=len(tree.inside(retry)) if retry else 0,
    )


def reason(node: Node, tree: Tree, limit: int = 400) -> str:
    """Say in Markdown why a node is in its state: exit code, Argo's message where it helps; empty if unknown.

    `limit` is the number of characters of the message that are shown.
    """
    exited = _EXIT.fullmatch(node.message)
    if exited:
        return f"exit code {exited[1]}" + (f": {code(exited[2], limit)}" if exited[2] else "")
    stopped = _SHUTDOWN.match(node.message)
    if stopped:
        return f"ended by {code(stopped[1])}"
    said = message(node.message, tree, limit)
    number = node.exit_code if node.exit_code.isdigit() and node.exit_code != "0" else ""
    if number and f"exit code {number}" not in said:
        said = f"{said}, exit code {number}" if said else f"exit code {number}"
    return said


def message(text: str, tree: Tree, limit: int = 400) -> str:
    """Write one of Argo's messages in Markdown; a node's id in it gives way to the step's name."""
    return code(_CHILD_FAILED.sub(lambda match: f"step {tree.label_of(match[1])} failed", text), limit)
