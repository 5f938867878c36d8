"""Where a manifest leaves the schema of a Workflow that comes with kubeci (`workflow.schema.json`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any, Literal, TypeAlias

import jsonschema_rs
import msgspec

from kubeci.model.json import JsonObject

Path: TypeAlias = tuple[str | int, ...]

FAULTS_LIMIT = 1000
"""Faults of one manifest that are looked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where a manifest leaves the schema.

    `unknown`: there is no such field, `known` are those there are. `missing`: a field that must be there is not.
    `type`: a value of another type than `known`, which are JSON schema's words. `value`: another than the one in
    `known`. `path` leads to the field from the manifest's root.
    """

    path: Path
    kind: Literal["unknown", "missing", "type", "value"]
    known: tuple[str, ...] = ()


def faults(manifest: JsonObject) -> list[Fault]:
    """Hold a manifest, as it is, against the schema; gives the first `FAULTS_LIMIT` faults in the manifest's order.

    jsonschema-rs judges. It cannot be told to stop, and takes seconds over a manifest made of faults alone: so where it
    finds one the places are looked for here.
    """
    try:
        if _validator().is_valid(manifest):
            return []
    except UnicodeEncodeError:
        pass  # a field's name that is no Unicode, which the walk names as unknown
    return list(islice(_walk(manifest, _schema(), ()), FAULTS_LIMIT))


@cache
def _schema() -> JsonObject:
    text = resources.files("kubeci.workflow").joinpath("workflow.schema.json").read_bytes()
    schema: JsonObject = msgspec.json.decode(text)
    return schema


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_schema())


def _walk(value: Any, schema: JsonObject, path: Path) -> Iterator[Fault]:
    """Find the faults by the few keywords that scripts/workflow_schema.py writes."""
    if "$ref" in schema:
        schema = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    if "const" in schema and value != schema["const"]:
        yield Fault(path, "value", (schema["const"],))
    types = _types(schema)
    if types and not any(_is_type(value, name) for name in types):
        yield Fault(path, "type", types)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _walk(item, schema["items"], (*path, index))
    elif isinstance(value, dict):
        yield from _walk_object(value, schema, path)


def _walk_object(value: JsonObject, schema: JsonObject, path: Path) -> Iterator[Fault]:
    for field in schema.get("required", ()):
        if field not in value:
            yield Fault((*path, field), "missing")
    fields: JsonObject = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    known = tuple(fields) if others is False else ()
    for field, item in value.items():
        if field in fields:
            yield from _walk(item, fields[field], (*path, field))
        elif others is False:
            yield Fault((*path, field), "unknown", known)
        elif others is not True:
            yield from _walk(item, others, (*path, field))


def _types(schema: JsonObject) -> tuple[str, ...]:
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _is_type(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, _PYTHON_TYPES[name])


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
