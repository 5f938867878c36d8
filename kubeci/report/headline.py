"""The first line of a check-run's summary: how it stands, and the one reason that matters."""

from __future__ import annotations

from kubeci.report.failures import Failure, message
from kubeci.report.markdown import code
from kubeci.report.spans import since, span
from kubeci.report.tree import Tree
from kubeci.workflow.status import Node, WorkflowState


def headline(tree: Tree, causes: list[Failure], *, stopped: str = "") -> str:
    """Say in a line how a workflow stands; `stopped` says why it was stopped, if we did that."""
    state = tree.state
    if state.phase == "Succeeded":
        return _succeeded(tree, causes)
    if not state.ended:
        line = _under_way(tree, causes)
        return f"{line}. It is being stopped: {stopped}" if stopped else line
    if stopped:
        return f"**Cancelled**{_after(state)}: {stopped}"
    if state.phase not in {"Failed", "Error"}:
        phase = state.phase.lower() or "waiting"
        return f"**Cancelled**: the workflow was deleted while it was {phase if phase.isalpha() else code(phase, 40)}"
    return _failed(tree, causes)


def _succeeded(tree: Tree, causes: list[Failure]) -> str:
    took = span(tree.state.started_at, tree.state.finished_at)
    line = "**Succeeded**" + (f" in {took}" if took else "")
    if causes:
        line += f"; {_names(causes)} failed, which the workflow allows"
    return line


def _failed(tree: Tree, causes: list[Failure]) -> str:
    state = tree.state
    counting = [failure for failure in causes if not failure.allowed and not failure.stopped]
    word = "Stopped" if state.shutdown and not counting else "Failed"
    line = f"**{word}**{_after(state)}"
    if counting:
        first = counting[0]
        why = f" ({first.short_reason})" if first.short_reason else ""
        return f"{line}: {code(first.label)} failed{why}{_more(counting[1:])}"
    if word == "Stopped":
        return f"{line} by {code(state.shutdown)}"
    said = message(state.message, tree)
    return f"{line}: {said}" if said else line


def _under_way(tree: Tree, causes: list[Failure]) -> str:
    state = tree.state
    if state.suspended:
        return "**Waiting** for a resume of the workflow"
    if state.phase == "Pending":
        said = message(state.message, tree)
        return "**Pending**" + (f": {said}" if said else "")
    steps = tree.steps()
    waiting = [node for node in steps if node.type == "Suspend" and node.phase == "Running"]
    others = [node for node in steps if not node.ended and node not in waiting]
    if waiting and not others:
        return f"**Waiting** for a resume of {', '.join(code(tree.label(node)) for node in waiting[:3])}"
    counts = ", ".join(_counts(steps)) or "no step has begun"
    line = " ".join(filter(None, ("**Running**", since(state.started_at)))) + f": {counts}"
    counting = [failure for failure in causes if not failure.allowed]
    return f"{line}; {_names(counting)} failed" if counting else line


def _counts(steps: list[Node]) -> list[str]:
    ended = sum(node.ended for node in steps)
    running = sum(node.phase == "Running" for node in steps)
    waiting = len(steps) - ended - running
    words = (
        (ended, "step ended" if ended == 1 else "steps ended"),
        (running, "running"),
        (waiting, "waiting"),
    )
    return [f"{number} {word}" for number, word in words if number]


def _after(state: WorkflowState) -> str:
    took = span(state.started_at, state.finished_at)
    return f" after {took}" if took else ""


def _names(causes: list[Failure]) -> str:
    return code(causes[0].label) + _more(causes[1:])


def _more(others: list[Failure]) -> str:
    if not others:
        return ""
    return f" and {code(others[0].label)}" if len(others) == 1 else f" and {len(others)} more"
