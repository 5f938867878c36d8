"""The nodes of a workflow's status: made, marked and joined as Argo's controller does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kubeci.local.engine.names import node_id
from kubeci.model.json import JsonObject

FULFILLED = frozenset({"Succeeded", "Failed", "Error", "Skipped", "Omitted"})
FAILED = frozenset({"Failed", "Error"})
COMPLETED = frozenset({"Succeeded", "Failed", "Error"})
_LEADING_GROUP = re.compile(r"^(\[\d+\])?\.")


@dataclass(frozen=True, slots=True)
class Birth:
    """What a new node is: `flag` becomes `nodeFlag` (None: it has none)."""

    name: str
    type: str
    template: str = ""
    boundary: str = ""
    phase: str = "Running"
    message: str = ""
    flag: JsonObject | None = None
    inputs: JsonObject = field(default_factory=dict)


class Nodes:
    """The nodes of one workflow by name; `by_id` is `status.nodes` itself. `now` is written where a node starts or ends."""

    def __init__(self, workflow: str, by_id: dict[str, JsonObject], now: str) -> None:
        self.workflow = workflow
        self.by_id = by_id
        self._now = now

    def __iter__(self) -> Iterator[JsonObject]:
        return iter(self.by_id.values())

    def get(self, name: str) -> JsonObject | None:
        """Find a node by name."""
        return self.by_id.get(node_id(self.workflow, name))

    def named(self, name: str) -> JsonObject:
        """Give a node that must be there."""
        return self.by_id[node_id(self.workflow, name)]

    def born(self, birth: Birth) -> JsonObject:
        """Make a node, or give the one of that name."""
        if (known := self.get(birth.name)) is not None:
            return known
        node: JsonObject = {
            "id": node_id(self.workflow, birth.name),
            "name": birth.name,
            "displayName": self._display_name(birth),
            "type": birth.type,
            "templateScope": f"local/{self.workflow}",
            "phase": birth.phase,
            "startedAt": self._now,
        }
        optional: dict[str, Any] = {
            "templateName": birth.template,
            "boundaryID": birth.boundary,
            "message": birth.message,
            "inputs": birth.inputs,
            "finishedAt": self._now if birth.phase in FULFILLED else "",
            "taskResultSynced": birth.type == "Pod",
        }
        node |= {key: value for key, value in optional.items() if value}
        if birth.flag is not None:
            node["nodeFlag"] = birth.flag
        self.by_id[node["id"]] = node
        return node

    def mark(self, node: JsonObject, phase: str, message: str = "") -> JsonObject:
        """Give a node its phase; the time of its end is written once."""
        node["phase"] = phase
        if message:
            node["message"] = message
        if phase in FULFILLED and "finishedAt" not in node:
            node["finishedAt"] = self._now
        return node

    def join(self, parent: JsonObject, child: JsonObject) -> None:
        """Make a node the child of another."""
        children = parent.setdefault("children", [])
        if child["id"] not in children:
            children.append(child["id"])

    def outbound(self, node: JsonObject) -> list[str]:
        """Give the ids of the nodes that end this one: those that what follows is joined to."""
        found: list[str] = []
        stack = [node["id"]]
        while stack:
            one = self.by_id[stack.pop()]
            following = _ends(one)
            if following is None:
                found.append(one["id"])
            else:
                stack.extend(reversed(following))
        return list(dict.fromkeys(found))

    def children(self, node: JsonObject) -> list[JsonObject]:
        """Give a node's children, in order."""
        return [self.by_id[child] for child in node.get("children", [])]

    def descendants(self, node: JsonObject) -> Iterable[JsonObject]:
        """Give a node and all that follows from it, each once."""
        seen: dict[str, JsonObject] = {}
        stack = [node["id"]]
        while stack:
            one = stack.pop()
            if one not in seen and one in self.by_id:
                seen[one] = self.by_id[one]
                stack.extend(seen[one].get("children", []))
        return seen.values()

    def of_exit_handler(self, node: JsonObject) -> bool:
        """Say whether a node belongs to the workflow's exit handler."""
        handler = f"{self.workflow}.onExit"
        name: str = node["name"]
        return name.startswith(handler) and name[len(handler) : len(handler) + 1] in {"", ".", "[", "("}

    def _display_name(self, birth: Birth) -> str:
        boundary = self.by_id.get(birth.boundary)
        if boundary is None:
            return birth.name
        return _LEADING_GROUP.sub("", birth.name.removeprefix(boundary["name"]))


def fulfilled(node: JsonObject | None) -> bool:
    """Say whether a node has come to its end, also by being skipped."""
    return node is not None and node.get("phase") in FULFILLED


def failed(node: JsonObject) -> bool:
    """Say whether a node failed or errored."""
    return node.get("phase") in FAILED


def _ends(node: JsonObject) -> list[str] | None:
    """Give the nodes to follow to a node's end; None when it is its own end."""
    children: list[str] = node.get("children", [])
    if node["type"] in {"Steps", "DAG"}:
        return list(node.get("outboundNodes", []))
    if node["type"] == "TaskGroup" and children:
        return children
    if node["type"] == "Retry" and children:
        return children[-1:]
    return None
