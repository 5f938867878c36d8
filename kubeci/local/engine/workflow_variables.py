"""The variables that hold in the whole workflow (Argo's page "Workflow Variables", section "Global")."""

from __future__ import annotations

import json
from datetime import datetime

from kubeci.local.engine.operation import text_of
from kubeci.local.engine.times import parse_time
from kubeci.model.json import JsonObject

# What `workflow.creationTimestamp.X` takes from strftime; `s` and `RFC3339` are Argo's own.
_TIME_LETTERS = "YmdHMSyBbjfapAIZ"


def workflow_variables(workflow: JsonObject) -> dict[str, str]:
    """Give name, labels, parameters and so on of a workflow, as variables."""
    metadata, spec = workflow["metadata"], workflow["spec"]
    variables = {
        "workflow.name": metadata["name"],
        "workflow.namespace": metadata["namespace"],
        "workflow.uid": metadata.get("uid", ""),
        "workflow.mainEntrypoint": text_of(spec.get("entrypoint") or ""),
        "workflow.serviceAccountName": spec.get("serviceAccountName") or "default",
    }
    for kind in ("labels", "annotations"):
        values = metadata.get(kind) or {}
        variables |= {f"workflow.{kind}.{key}": text_of(value) for key, value in values.items()}
        variables[f"workflow.{kind}.json"] = variables[f"workflow.{kind}"] = _json(values)
    if spec.get("priority") is not None:
        variables["workflow.priority"] = text_of(spec["priority"])
    variables |= _times(parse_time(metadata["creationTimestamp"]))
    parameters = [
        {"name": one["name"], "value": text_of(one["value"])}
        for one in (spec.get("arguments") or {}).get("parameters") or []
        if one.get("value") is not None
    ]
    variables |= {f"workflow.parameters.{one['name']}": one["value"] for one in parameters}
    variables["workflow.parameters"] = variables["workflow.parameters.json"] = _json(parameters)
    for one in ((workflow.get("status") or {}).get("outputs") or {}).get("parameters") or []:
        variables[f"workflow.outputs.parameters.{one['name']}"] = one["value"]
    return variables


def exit_variables(workflow: JsonObject, phase: str, nodes: list[JsonObject]) -> dict[str, str]:
    """Give the variables that only an exit handler has: `workflow.status`, `workflow.failures`, `workflow.duration`."""
    failures = [
        {
            "displayName": node["displayName"],
            "message": node.get("message", ""),
            "templateName": node.get("templateName", ""),
            "phase": node["phase"],
            "podName": node["id"],
            "finishedAt": node.get("finishedAt", ""),
        }
        for node in nodes
        if node["type"] == "Pod" and node["phase"] in {"Failed", "Error"}
    ]
    root = next((node for node in nodes if node["name"] == workflow["metadata"]["name"]), {})
    started, finished = (
        workflow["status"]["startedAt"],
        root.get("finishedAt") or workflow["status"]["startedAt"],
    )
    seconds = (parse_time(finished) - parse_time(started)).total_seconds()
    # Argo quotes the JSON once more, so that it can stand in a shell's or JSON's string.
    failures_text = json.dumps(_json(failures), ensure_ascii=False)
    return {"workflow.status": phase, "workflow.failures": failures_text, "workflow.duration": f"{seconds:f}"}


def _times(created: datetime) -> dict[str, str]:
    name = "workflow.creationTimestamp"
    variables = {name: created.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{name}.s": str(int(created.timestamp()))}
    variables[f"{name}.RFC3339"] = variables[name]
    return variables | {f"{name}.{letter}": created.strftime(f"%{letter}") for letter in _TIME_LETTERS}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
