"""One look at a workflow: what the parts of the pure core share while the next status is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from kubeci.local.engine.nodes import Nodes
from kubeci.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class PodState:
    """What is known of a node's pod.

    `phase` is Pending, Running, Succeeded, Failed or Error; `exit_code` is None until `main` ended (or when it never
    began), `outputs` holds the values of the template's output parameters, `result` the last output of a script.
    """

    phase: str = "Pending"
    message: str = ""
    host: str = ""
    exit_code: int | None = None
    finished_at: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    result: str | None = None


@dataclass(frozen=True, slots=True)
class PodRequest:
    """A pod to start: `template` has all its variables replaced; `deadline` in seconds, None for no end."""

    node_id: str
    node_name: str
    pod_name: str
    template: JsonObject
    deadline: float | None = None
    include_result: bool = False
    on_exit: bool = False
    """Whether it belongs to the exit handler."""


@dataclass(frozen=True, slots=True)
class Call:
    """A template that is to run as a node: `flag` becomes the node's `nodeFlag`."""

    node_name: str
    template: str
    arguments: JsonObject = field(default_factory=dict)
    boundary: str = ""
    on_exit: bool = False
    flag: JsonObject | None = None
    scope: Mapping[str, str] = field(default_factory=dict)


class Waiting(Exception):
    """No room for another pod now (`parallelism`)."""


class CallError(Exception):
    """A template could not be called; the node that called it errs with this text."""


@dataclass(slots=True)
class Operation:
    """The state of one pass. `workflow` is a copy that the pass changes; `requests` are the pods it wants."""

    workflow: JsonObject
    pods: Mapping[str, PodState]
    now: datetime
    nodes: Nodes
    variables: dict[str, str]
    requests: list[PodRequest] = field(default_factory=list)
    wake_at: datetime | None = None
    depth: int = 0

    @property
    def spec(self) -> JsonObject:
        """Give the workflow's spec."""
        spec: JsonObject = self.workflow["spec"]
        return spec

    @property
    def name(self) -> str:
        """Give the workflow's name."""
        name: str = self.workflow["metadata"]["name"]
        return name

    @property
    def shutdown(self) -> str:
        """Give the shutdown strategy: Stop, Terminate or nothing."""
        return self.spec.get("shutdown") or ""

    def may_run(self, *, on_exit: bool) -> bool:
        """Say whether the shutdown strategy lets pods start: under Stop, those of the exit handler do."""
        return not self.shutdown or (self.shutdown == "Stop" and on_exit)

    def template(self, name: str) -> JsonObject:
        """Find a template; raises CallError."""
        for template in self.spec.get("templates") or []:
            if template.get("name") == name:
                return dict(template)
        raise CallError(f"template {name} not found")

    def wake(self, moment: datetime) -> None:
        """Ask to be called again at `moment`."""
        self.wake_at = min(moment, self.wake_at) if self.wake_at else moment


def text_of(value: Any) -> str:
    """Write an IntOrString or AnyString of a manifest as the string it stands for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


Execute: TypeAlias = Callable[[Operation, Call], JsonObject]
"""Runs a template as a node and gives the node; raises Waiting or CallError."""
