"""`argo retry`: a failed workflow goes on where it failed, under its own name.

What becomes of nodes and fields is Argo's rule (argo-server's `RetryWorkflow`; the recording `15-retried`): what failed goes,
with all that followed it and with its pods; what stands around it runs again; exit handlers go, and run again at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kubeci.errors import KubeCIError
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.cluster.status import ApiError
from kubeci.local.engine.copied import copied
from kubeci.local.engine.names import pod_name
from kubeci.local.engine.nodes import Nodes, failed
from kubeci.local.engine.status import COMPLETED_LABEL, condition
from kubeci.local.engine.times import format_time
from kubeci.model.json import JsonObject

_EXECUTED = frozenset({"Pod", "Container", "HTTP", "Plugin"})
_GROUPS = frozenset({"Retry", "StepGroup", "TaskGroup"})
_ARCHIVING_LABEL = "workflows.argoproj.io/workflow-archiving-status"
_ENDED_FIELDS = ("phase", "message", "finishedAt", "persistentVolumeClaims")


class CannotRetryError(KubeCIError):
    """The workflow is not one that can be retried; the text is argo-server's own, which answers it with 400."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The workflow as it is to be stored, and the names of the pods that are to be deleted before."""

    workflow: JsonObject
    pods: tuple[str, ...]


def retry(objects: Objects, namespace: str, name: str, now: datetime) -> JsonObject:
    """Let a failed workflow go on, and give it as it is stored now; the engine takes it up by itself.

    Raises ApiError 404 when it is not there, CannotRetryError when it has not failed.
    """
    retried = formulate(objects.get(WORKFLOWS, namespace, name), now)
    for pod in retried.pods:
        with suppress(ApiError):  # it is gone already
            objects.delete(PODS, namespace, pod)
    return objects.replace(WORKFLOWS, namespace, name, retried.workflow)


def formulate(workflow: JsonObject, now: datetime) -> Retried:
    """Give the workflow as a retry leaves it, with no phase yet, and the pods that must go; raises CannotRetryError."""
    _check(workflow)
    workflow = copied(workflow)
    written = format_time(now)
    nodes = Nodes(workflow["metadata"]["name"], workflow["status"].get("nodes") or {}, written)
    gone, again = _affected(nodes)
    pods = tuple(
        pod_name(nodes.workflow, node["name"], node.get("templateName", ""))
        for node in nodes
        if node["id"] in gone and node["type"] == "Pod"
    )
    kept = {node["id"]: _left(node, gone) for node in nodes if node["id"] not in gone}
    for node_id in again & kept.keys():
        _begin_again(kept[node_id], written)
    _reopen(workflow, kept, written)
    return Retried(workflow, pods)


def _check(workflow: JsonObject) -> None:
    phase = (workflow.get("status") or {}).get("phase") or ""
    if phase == "Succeeded":
        raise CannotRetryError(
            "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector"
        )
    if phase not in {"Failed", "Error"}:
        raise CannotRetryError(f"Cannot retry a workflow in phase {phase}")


def _affected(nodes: Nodes) -> tuple[set[str], set[str]]:
    """Give the ids of the nodes that go, and of those that run again."""
    parents: dict[str, list[JsonObject]] = {}
    for node in nodes:
        for child in node.get("children", []):
            parents.setdefault(child, []).append(node)
    gone = {node["id"] for node in nodes if nodes.of_exit_handler(node)}
    again: set[str] = set()
    for node in nodes:
        if node["id"] in gone or node["type"] not in _EXECUTED or not failed(node):
            continue
        around = list(_around(node, nodes, parents))
        tried = [one for one in around if one["type"] == "Retry"]
        attempt = tried and "retried" in (node.get("nodeFlag") or {})
        if _overcome(tried) or _succeeded_after(nodes, tried[0] if attempt else node):
            continue
        gone |= {one["id"] for one in nodes.descendants(node)}
        for (
            one
        ) in tried:  # it begins with its first attempt: Argo would leave those of steps running for ever
            gone |= {other["id"] for other in nodes.descendants(one)} - {one["id"]}
        again |= {one["id"] for one in around}
    return gone, again


def _around(node: JsonObject, nodes: Nodes, parents: Mapping[str, list[JsonObject]]) -> Iterator[JsonObject]:
    """Give the nodes that a node stands in, the nearest first: attempts, loops, groups of steps, steps and DAGs."""
    seen = {node["id"]}
    queue = [node]
    while queue:
        one = queue.pop(0)
        outer = [parent for parent in parents.get(one["id"], []) if parent["type"] in _GROUPS]
        if (boundary := nodes.by_id.get(one.get("boundaryID", ""))) is not None:
            outer.append(boundary)
        for found in outer:
            if found["id"] not in seen:
                seen.add(found["id"])
                queue.append(found)
                yield found


def _overcome(tried: list[JsonObject]) -> bool:
    """Say whether a later attempt succeeded."""
    return any(one["phase"] == "Succeeded" for one in tried)


def _succeeded_after(nodes: Nodes, node: JsonObject) -> bool:
    """Say whether something that followed a failed node succeeded, so that the workflow went on (`continueOn`)."""
    following = (one for one in nodes.descendants(node) if one is not node)
    return any(one["phase"] == "Succeeded" for one in following)


def _left(node: JsonObject, gone: set[str]) -> JsonObject:
    for key in ("children", "outboundNodes"):
        if key in node:
            node[key] = [one for one in node[key] if one not in gone]
            if not node[key]:
                del node[key]
    return node


def _begin_again(node: JsonObject, now: str) -> None:
    if node["phase"] != "Skipped":
        node["phase"] = "Running"
    node["startedAt"] = now
    for key in ("message", "finishedAt"):
        node.pop(key, None)


def _reopen(workflow: JsonObject, nodes: dict[str, JsonObject], now: str) -> None:
    status, spec = workflow["status"], workflow["spec"]
    for key in _ENDED_FIELDS:
        status.pop(key, None)
    status |= {"nodes": nodes, "startedAt": now}
    condition(status, "Completed", holds=False)
    spec.pop("shutdown", None)
    if spec.get("activeDeadlineSeconds") == 0:
        del spec["activeDeadlineSeconds"]
    labels = workflow["metadata"].get("labels") or {}
    for key in (COMPLETED_LABEL, _ARCHIVING_LABEL):
        labels.pop(key, None)
