"""The parts of a workflow's status that follow from its nodes: progress, durations, conditions, the end."""

from __future__ import annotations

from collections.abc import Iterable

from kubeci.local.engine.nodes import Nodes, fulfilled
from kubeci.model.json import JsonObject

PHASE_LABEL = "workflows.argoproj.io/phase"
COMPLETED_LABEL = "workflows.argoproj.io/completed"
POD_NAME_FORMAT = "workflows.argoproj.io/pod-name-format"
_EXECUTED = frozenset({"Pod", "Suspend"})


def begin(workflow: JsonObject, now: str) -> None:
    """Write what the controller writes when it takes a workflow: phase, and the spec's empty fields."""
    workflow["status"] |= {"phase": "Running", "startedAt": now}
    if claims := _claims(workflow):
        workflow["status"]["persistentVolumeClaims"] = claims
    spec = workflow["spec"]
    spec.setdefault("arguments", {})
    for template in spec.get("templates") or []:
        for field in ("inputs", "outputs", "metadata"):
            template.setdefault(field, {})
        for kind in ("container", "script"):
            if template.get(kind) is not None:
                template[kind].setdefault("name", "")
                template[kind].setdefault("resources", {})
        groups = template.get("steps") or []
        tasks = (template.get("dag") or {}).get("tasks") or []
        for step in [*(step for group in groups for step in group), *tasks]:
            step.setdefault("arguments", {})


def accept(workflow: JsonObject) -> None:
    """Write what the controller writes once it knows that a workflow can run: the metadata that its spec asks for."""
    wanted = workflow["spec"].get("workflowMetadata") or {}
    metadata = workflow["metadata"]
    for key in ("labels", "annotations"):
        metadata[key] = {**(metadata.get(key) or {}), **(wanted.get(key) or {})}
    metadata["annotations"][POD_NAME_FORMAT] = "v2"


def claim_name(workflow: JsonObject, template: JsonObject) -> str:
    """Give the name of the claim that one of the `volumeClaimTemplates` makes."""
    return f"{workflow['metadata']['name']}-{(template.get('metadata') or {}).get('name', '')}"


def _claims(workflow: JsonObject) -> list[JsonObject]:
    templates = workflow["spec"].get("volumeClaimTemplates") or []
    return [
        {
            "name": template["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": claim_name(workflow, template)},
        }
        for template in templates
    ]


def finish(workflow: JsonObject, phase: str, message: str, now: str) -> None:
    """End the workflow in `phase`; an empty message is left out."""
    status = workflow["status"]
    status["phase"] = phase
    status["finishedAt"] = now
    status.pop("message", None)
    if phase == "Succeeded":
        status.pop("persistentVolumeClaims", None)  # deleted with success, see `volumeClaimGC`
    if message:
        status["message"] = message
    condition(status, "Completed", holds=True)
    _label(workflow)


def condition(status: JsonObject, kind: str, *, holds: bool) -> None:
    """Write one condition, in the place where it stands."""
    conditions: list[JsonObject] = status.setdefault("conditions", [])
    wanted = {"status": "True" if holds else "False", "type": kind}
    for index, known in enumerate(conditions):
        if known["type"] == kind:
            conditions[index] = wanted
            return
    conditions.append(wanted)


def settle(workflow: JsonObject, nodes: Nodes) -> None:
    """Write progress, durations and the two labels, once all nodes of this pass stand."""
    status = workflow["status"]
    for node in nodes:
        if node["type"] in _EXECUTED:
            node["progress"] = "1/1" if node["phase"] == "Succeeded" else "0/1"
    for node in nodes:
        if node["type"] in _EXECUTED:
            _sum_durations(nodes, node)
            continue
        done, total = _progress(one for one in nodes.descendants(node) if one["type"] in _EXECUTED)
        if total:
            node["progress"] = f"{done}/{total}"
        _sum_durations(nodes, node)
    done, total = _progress(one for one in nodes if one["type"] in _EXECUTED)
    status["progress"] = f"{done}/{total}"
    if any("resourcesDuration" in node for node in nodes):
        status["resourcesDuration"] = {"cpu": 0, "memory": 0}
    if nodes.by_id:
        status["nodes"] = nodes.by_id
    _label(workflow)


def _label(workflow: JsonObject) -> None:
    status = workflow["status"]
    labels = workflow["metadata"].setdefault("labels", {})
    labels[COMPLETED_LABEL] = "true" if "finishedAt" in status else "false"
    labels[PHASE_LABEL] = status["phase"]


def _progress(nodes: Iterable[JsonObject]) -> tuple[int, int]:
    phases = [node["phase"] for node in nodes]
    return phases.count("Succeeded"), len(phases)


def _sum_durations(nodes: Nodes, node: JsonObject) -> None:
    """Give an ended node the (unmeasured) durations of the pods behind it, as the controller sums them."""
    if node["type"] == "Pod" or not fulfilled(node) or "resourcesDuration" in node:
        return
    if any(one["type"] == "Pod" and "resourcesDuration" in one for one in nodes.descendants(node)):
        node["resourcesDuration"] = {"cpu": 0, "memory": 0}
