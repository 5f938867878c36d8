"""What nodes give to those after them: variables of steps and tasks, and outputs of templates."""

from __future__ import annotations

import json
from collections.abc import Iterable

from kubeci.local.engine.operation import Operation, PodState, text_of
from kubeci.local.engine.variables import tags
from kubeci.model.json import JsonObject


def pod_outputs(template: JsonObject, state: PodState) -> JsonObject:
    """Give a Pod node's `outputs`, as the executor and the controller would have written them."""
    outputs: JsonObject = {}
    parameters = []
    for parameter in (template.get("outputs") or {}).get("parameters") or []:
        if parameter["name"] in state.outputs:
            kept = {key: value for key, value in parameter.items() if key != "value"}
            parameters.append({**kept, "value": state.outputs[parameter["name"]]})
    if parameters:
        outputs["parameters"] = parameters
    if state.result is not None:
        outputs["result"] = state.result
    if state.exit_code is not None:
        outputs["exitCode"] = str(state.exit_code)
    return outputs


def node_variables(prefix: str, node: JsonObject) -> dict[str, str]:
    """Give the variables of one finished step or task: `PREFIX.status`, `PREFIX.outputs.result` and so on."""
    outputs = node.get("outputs") or {}
    variables = {
        f"{prefix}.id": node["id"],
        f"{prefix}.status": node["phase"],
        f"{prefix}.startedAt": node.get("startedAt", ""),
        f"{prefix}.finishedAt": node.get("finishedAt", ""),
    }
    if "result" in outputs:
        variables[f"{prefix}.outputs.result"] = outputs["result"]
    if "exitCode" in outputs:
        variables[f"{prefix}.exitCode"] = outputs["exitCode"]
    for parameter in outputs.get("parameters") or []:
        variables[f"{prefix}.outputs.parameters.{parameter['name']}"] = parameter.get("value", "")
    return variables


def loop_variables(prefix: str, nodes: Iterable[JsonObject]) -> dict[str, str]:
    """Give the variables of a finished loop: results and parameters as JSON lists, in the order of the items."""
    outputs = [node.get("outputs") or {} for node in nodes if node["type"] != "Skipped"]
    results = [one["result"] for one in outputs if "result" in one]
    rows = [
        {p["name"]: p.get("value", "") for p in one["parameters"]} for one in outputs if one.get("parameters")
    ]
    variables = {}
    if results:
        variables[f"{prefix}.outputs.result"] = _json([_parsed(one) for one in results])
    if rows:
        variables[f"{prefix}.outputs.parameters"] = _json(rows)
        for name in dict.fromkeys(name for row in rows for name in row):
            variables[f"{prefix}.outputs.parameters.{name}"] = _json(
                [row[name] for row in rows if name in row]
            )
    return variables


def template_outputs(template: JsonObject, variables: dict[str, str]) -> JsonObject:
    """Give the `outputs` of a finished Steps or DAG node: its parameters taken from those of its steps."""
    parameters = []
    for parameter in (template.get("outputs") or {}).get("parameters") or []:
        source = parameter.get("valueFrom") or {}
        reference = next(iter(tags(source.get("parameter") or "")), source.get("parameter") or "")
        value = variables.get(reference)
        if value is None and source.get("default") is not None:
            value = text_of(source["default"])
        if value is not None:
            parameters.append({**parameter, "value": value})
    return {"parameters": parameters} if parameters else {}


def publish(operation: Operation, node: JsonObject) -> None:
    """Make outputs that have a `globalName` variables of the workflow."""
    published = operation.workflow["status"].get("outputs", {}).get("parameters", [])
    for parameter in (node.get("outputs") or {}).get("parameters") or []:
        if name := parameter.get("globalName"):
            published = [one for one in published if one["name"] != name]
            published.append({"name": name, "value": parameter.get("value", "")})
            operation.variables[f"workflow.outputs.parameters.{name}"] = parameter.get("value", "")
    if published:
        operation.workflow["status"]["outputs"] = {"parameters": published}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _parsed(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value
