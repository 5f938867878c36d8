"""A template's inputs: arguments, defaults and enums, and the variables they become."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kubeci.local.engine.operation import CallError, text_of
from kubeci.local.engine.variables import substitute
from kubeci.model.json import JsonObject


def with_inputs(template: JsonObject, arguments: JsonObject, variables: Mapping[str, str]) -> JsonObject:
    """Give the template with the value of each input, from the call's arguments, else from its default.

    Raises CallError for an input that nobody gives, or whose value is not in its `enum`.
    """
    given = {one["name"]: one for one in arguments.get("parameters") or []}
    parameters = []
    for parameter in (template.get("inputs") or {}).get("parameters") or []:
        value = _value(parameter, given.get(parameter["name"], {}), variables)
        parameters.append({"name": parameter["name"], **_kept(parameter), "value": value})
    artifacts = _artifacts(template, arguments, variables)
    inputs: JsonObject = {}
    if parameters:
        inputs["parameters"] = parameters
    if artifacts:
        inputs["artifacts"] = artifacts
    return {**template, "inputs": inputs}


def input_variables(template: JsonObject) -> dict[str, str]:
    """Give the variables that a template's inputs make: `inputs.parameters.NAME` and `inputs.artifacts.NAME.path`."""
    inputs = template.get("inputs") or {}
    parameters = inputs.get("parameters") or []
    variables = {f"inputs.parameters.{one['name']}": one["value"] for one in parameters}
    variables["inputs.parameters"] = json.dumps(parameters, separators=(",", ":"), ensure_ascii=False)
    for artifact in inputs.get("artifacts") or []:
        if artifact.get("path"):
            variables[f"inputs.artifacts.{artifact['name']}.path"] = artifact["path"]
    for parameter in (template.get("outputs") or {}).get("parameters") or []:
        if path := (parameter.get("valueFrom") or {}).get("path"):
            variables[f"outputs.parameters.{parameter['name']}.path"] = path
    return variables


def _value(parameter: JsonObject, argument: JsonObject, variables: Mapping[str, str]) -> str:
    for source, key in ((argument, "value"), (parameter, "value"), (parameter, "default")):
        if source.get(key) is not None:
            value = substitute(text_of(source[key]), variables)
            break
    else:
        raise CallError(f"inputs.parameters.{parameter['name']} was not supplied")
    allowed = [text_of(one) for one in parameter.get("enum") or []]
    if allowed and value not in allowed:
        raise CallError(
            f"inputs.parameters.{parameter['name']} value '{value}' is not one of its enum: {', '.join(allowed)}"
        )
    return value


def _kept(parameter: JsonObject) -> JsonObject:
    return {key: parameter[key] for key in ("default", "enum", "description") if key in parameter}


def _artifacts(template: JsonObject, arguments: JsonObject, variables: Mapping[str, str]) -> list[JsonObject]:
    given = {one["name"]: one for one in arguments.get("artifacts") or []}
    artifacts = []
    for artifact in (template.get("inputs") or {}).get("artifacts") or []:
        merged = {
            **artifact,
            **given.get(artifact["name"], {}),
            **{key: artifact[key] for key in ("path", "mode") if key in artifact},
        }
        merged = substitute(merged, variables)
        if "git" not in merged and "raw" not in merged:
            if merged.get("optional"):
                continue
            raise CallError(f"inputs.artifacts.{artifact['name']} was not supplied")
        artifacts.append(merged)
    return artifacts
