"""Derive the offline workflow schema from hera's models.

Run `python scripts/workflow_schema.py`. Needs the extra `schema` (hera 7.1.0, whose models follow Argo's OpenAPI description). The result is committed: the
server checks definitions with it where no cluster is asked. It is closed (a field that it does not name is unknown)
and knows types only; what the API server leaves to Argo (required fields, values out of a list) is left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hera.workflows.models import Workflow

TARGET = Path(__file__).parents[1] / "kubeci" / "workflow" / "workflow.schema.json"

OPEN = {"type": "object"}
OPEN_LIST = {"type": "array", "items": OPEN}
INT_OR_STRING = {"type": ["string", "integer"]}

# Types that hera takes narrower or wider than Kubernetes does.
REPLACED: dict[str, dict[str, Any]] = {
    "IntOrString": INT_OR_STRING,
    "Quantity": {"type": ["string", "number"]},
    "Amount": {"type": "number"},
    "Time": {"type": "string"},
    "Item": {},  # any value of `withItems`
    "FieldsV1": OPEN,
    "Plugin": OPEN,
    "WorkflowStatus": OPEN,
}

# Fields that hera 7.1 lacks: newer ones of Argo and Kubernetes, and those that older clusters still know.
ADDED: dict[str, dict[str, Any]] = {
    "Workflow": {"apiVersion": {"const": "argoproj.io/v1alpha1"}, "kind": {"const": "Workflow"}},
    "WorkflowSpec": {
        "executorPlugins": OPEN_LIST,
        "pendingTimeout": {"type": "string"},
        "podPriority": {"type": "integer"},
        "podResources": {"$ref": "#/$defs/ResourceRequirements"},
        "resourceClaims": OPEN_LIST,
    },
    "Template": {
        "executorPlugins": OPEN_LIST,
        "pendingTimeout": {"type": "string"},
        "podResources": {"$ref": "#/$defs/ResourceRequirements"},
        "priority": {"type": "integer"},
        "resourceClaims": OPEN_LIST,
    },
    "Synchronization": {"mutex": {"$ref": "#/$defs/Mutex"}, "semaphore": {"$ref": "#/$defs/SemaphoreRef"}},
    "HTTPGetAction": {"port": INT_OR_STRING},
}
for _kind in ("Container", "ContainerNode", "ScriptTemplate", "UserContainer"):
    ADDED[_kind] = {"restartPolicyRules": OPEN_LIST}


def simplify(schema: dict[str, Any]) -> dict[str, Any]:
    """Reduce one of pydantic's field schemas to its type; null is no value of a canonical manifest."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if choices:
        (schema,) = choices
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    kept: dict[str, Any] = {"type": schema["type"]}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            kept[key] = simplify(schema[key])
    return kept


def definition(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Give the closed schema of one of hera's models."""
    if name in REPLACED:
        return REPLACED[name]
    if "properties" not in schema and schema.get("type") != "object":
        return simplify(schema)
    fields = {field: simplify(value) for field, value in schema.get("properties", {}).items()}
    fields |= ADDED.get(name, {})
    return {"type": "object", "additionalProperties": False, "properties": dict(sorted(fields.items()))}


def reachable(definitions: dict[str, dict[str, Any]], start: str) -> list[str]:
    """List the definitions that a workflow can hold."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [part.split('"')[0] for part in json.dumps(definitions[name]).split("#/$defs/")[1:]]
    return sorted(seen)


def written(definitions: dict[str, dict[str, Any]]) -> str:
    """Write the schema with one field a line, so that a change shows as one."""
    blocks = []
    for name in reachable(definitions, "Workflow"):
        schema = definitions[name]
        fields = schema.get("properties")
        if not fields:
            blocks.append(f"{json.dumps(name)}: {json.dumps(schema)}")
            continue
        head = json.dumps({key: value for key, value in schema.items() if key != "properties"})[1:-1]
        lines = ",\n  ".join(f"{json.dumps(field)}: {json.dumps(value)}" for field, value in fields.items())
        blocks.append(f'{json.dumps(name)}: {{{head}, "properties": {{\n  {lines}\n}}}}')
    body = ",\n".join(blocks)
    return f'{{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/Workflow", "$defs": {{\n{body}\n}}}}\n'


def main() -> None:
    """Write the schema."""
    raw = Workflow.model_json_schema(by_alias=True)
    models = raw.pop("$defs") | {"Workflow": raw}
    definitions = {name: definition(name, schema) for name, schema in models.items()}
    definitions["Workflow"]["required"] = ["apiVersion", "kind", "spec"]
    # Pydantic tells models of the same name apart by their module.
    text = written(definitions).replace("hera__workflows__models__io__", "")
    TARGET.write_text(text)
    print(f"{TARGET.name}: {len(text):,} bytes, {text.count('additionalProperties')} objects")


if __name__ == "__main__":
    main()
