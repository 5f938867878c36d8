"""The project's offline schema of a Workflow, as the API server's field validation asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubeci.local.cluster.fields import FieldProblem, wrong_type
from kubeci.workflow.faults import Fault, faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeci.model.json import JsonObject


class WorkflowFields:
    """The schema of Workflows."""

    def problems(self, obj: JsonObject) -> list[FieldProblem]:
        """Give every problem of a Workflow's fields."""
        return [problem for fault in faults(obj) for problem in _told(fault, obj)]


def _told(fault: Fault, obj: JsonObject) -> Iterator[FieldProblem]:
    match fault.kind:
        case "unknown":
            yield FieldProblem(fault.path, "unknown")
        case "missing":
            yield FieldProblem(fault.path, "required")
        case "type":
            value: Any = obj
            for step in fault.path:
                value = value[step]
            yield wrong_type(fault.path, ",".join(fault.known), value)
        case "value":
            pass  # apiVersion and kind: the server compares them with the path it was asked on
