"""A workflow's status as Argo writes it, read into values; the workflow itself stays a plain dict.

Nothing here raises on odd input: whoever can patch a workflow can write anything into it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from kubeci.model.json import JsonObject
from kubeci.workflow.metadata import annotations_of
from kubeci.workflow.node import Node
from kubeci.workflow.node_tree import tree_order

__all__ = ["Node", "WorkflowState", "nodes_with_logs", "read_state"]

POD_NAME_FORMAT = "workflows.argoproj.io/pod-name-format"
NODES_LIMIT = 32 * 1024 * 1024
"""Bytes that `compressedNodes` may expand to: about four times what a status of Argo's largest size holds."""

PARAMETERS_LIMIT = 200
"""Parameters of one node that are read, in and out; Argo's own limit is the size of the whole status."""

ARTIFACTS_LIMIT = 200
"""Output artifacts of one node whose names are read."""

ENDED = frozenset({"Succeeded", "Failed", "Error"})


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """A workflow as of one event; `nodes` stand in the order of the tree, each after the one around it.

    `phase` is empty while Argo has not begun, and again between a retry and its first step. `nodes_missing`: there
    are nodes, but only argo-server can read them, or they are too many. `shutdown` is `Stop`, `Terminate` or empty;
    `suspended`: the workflow as a whole waits for somebody to resume it.
    """

    namespace: str
    name: str
    uid: str
    phase: str
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    nodes: tuple[Node, ...] = ()
    shutdown: str = ""
    suspended: bool = False
    pod_name_format: str = ""
    deleted: bool = False
    nodes_missing: bool = False

    @property
    def ended(self) -> bool:
        """Say whether this attempt is over; a retry makes an ended workflow run again."""
        return self.deleted or self.phase in ENDED


def read_state(workflow: JsonObject, *, deleted: bool = False) -> WorkflowState:
    """Read a workflow object as the API server gives it; `deleted`: the event said that it is gone.

    The phase is `status.phase` alone: after a retry the phase *label* still says Failed.
    """
    metadata = _object(workflow.get("metadata"))
    spec = _object(workflow.get("spec"))
    status = _object(workflow.get("status"))
    name = _text(metadata.get("name"))
    raw_nodes, missing = _raw_nodes(status)
    return WorkflowState(
        namespace=_text(metadata.get("namespace")),
        name=name,
        uid=_text(metadata.get("uid")),
        phase=_text(status.get("phase")),
        message=_text(status.get("message")),
        started_at=_time(status.get("startedAt")),
        finished_at=_time(status.get("finishedAt")),
        # An empty id is never Argo's, and stands for "inside of none".
        nodes=tree_order(tuple(_node(key, value) for key, value in raw_nodes.items() if key), root=name),
        shutdown=_text(spec.get("shutdown")),
        suspended=spec.get("suspend") is True,
        pod_name_format=annotations_of(workflow).get(POD_NAME_FORMAT, ""),
        deleted=deleted,
        nodes_missing=missing,
    )


def nodes_with_logs(state: WorkflowState) -> list[Node]:
    """Give the nodes whose pods have ended and may hold a log, in the order of the tree.

    Left out: what a memoized result stood in for, and what is in error without ever having reached a machine, since
    the API server refused the pod.
    """
    return [
        node
        for node in state.nodes
        if node.type == "Pod"
        and node.ended
        and not node.memoized
        and not (node.phase == "Error" and not node.host_node and not node.exit_code)
    ]


def _raw_nodes(status: JsonObject) -> tuple[JsonObject, bool]:
    """Give the nodes by id, and whether there are some that cannot be read here."""
    nodes = status.get("nodes")
    if isinstance(nodes, dict) and nodes:
        return nodes, False
    compressed = status.get("compressedNodes")
    if isinstance(compressed, str) and compressed:
        expanded = _expand(compressed)
        return (expanded, False) if expanded is not None else ({}, True)
    return {}, bool(_text(status.get("offloadNodeStatusVersion")))


def _expand(compressed: str) -> JsonObject | None:
    """Undo base64 and gzip up to `NODES_LIMIT`; None: too large, or not what Argo writes."""
    try:
        unzip = zlib.decompressobj(wbits=31)
        raw = unzip.decompress(base64.b64decode(compressed), NODES_LIMIT)
        nodes = msgspec.json.decode(raw) if unzip.eof else None
    except (binascii.Error, ValueError, zlib.error, RecursionError):
        return None
    return nodes if isinstance(nodes, dict) else None


def _node(node_id: str, value: object) -> Node:
    raw = _object(value)
    name = _text(raw.get("name")) or node_id
    return Node(
        id=node_id,
        name=name,
        display_name=_text(raw.get("displayName")) or name,
        type=_text(raw.get("type")),
        phase=_text(raw.get("phase")),
        message=_text(raw.get("message")),
        # A node of a template of another resource names it there alone.
        template_name=_text(_object(raw.get("templateRef")).get("template"))
        or _text(raw.get("templateName")),
        started_at=_time(raw.get("startedAt")),
        finished_at=_time(raw.get("finishedAt")),
        exit_code=_text(_object(raw.get("outputs")).get("exitCode")),
        host_node=_text(raw.get("hostNodeName")),
        memoized=_object(raw.get("memoizationStatus")).get("hit") is True,
        children=tuple(child for child in _list(raw.get("children")) if isinstance(child, str)),
        boundary_id=_text(raw.get("boundaryID")),
        inputs=_parameters(_object(raw.get("inputs")).get("parameters")),
        outputs=_parameters(_object(raw.get("outputs")).get("parameters")),
        artifacts=_names(_object(raw.get("outputs")).get("artifacts")),
    )


def _parameters(value: object) -> dict[str, str]:
    found = (_object(item) for item in _list(value)[:PARAMETERS_LIMIT])
    return {
        item["name"]: item["value"]
        for item in found
        if _text(item.get("name")) and _is_text(item.get("value"))
    }


def _names(value: object) -> tuple[str, ...]:
    return tuple(filter(None, (_text(_object(item).get("name")) for item in _list(value)[:ARTIFACTS_LIMIT])))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(_text(value))
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
