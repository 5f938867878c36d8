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
    return list(islice(_walk(manifest, schema(), ()), FAULTS_LIMIT))


@cache
def schema() -> JsonObject:
    """Give the schema of a Workflow: one definition for each kind of object, under `$defs` (scripts/workflow_schema.py)."""
    text = resources.files("kubeci.workflow").joinpath("workflow.schema.json").read_bytes()
    decoded: JsonObject = msgspec.json.decode(text)
    return decoded


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema())


def _walk(value: Any, shape: JsonObject, path: Path) -> Iterator[Fault]:
    """Find the faults by the few keywords that scripts/workflow_schema.py writes."""
    if "$ref" in shape:
        shape = schema()["$defs"][shape["$ref"].rpartition("/")[2]]
    if "const" in shape and value != shape["const"]:
        yield Fault(path, "value", (shape["const"],))
    types = _types(shape)
    if types and not any(_is_type(value, name) for name in types):
        yield Fault(path, "type", types)
    elif isinstance(value, list) and "items" in shape:
        for index, item in enumerate(value):
            yield from _walk(item, shape["items"], (*path, index))
    elif isinstance(value, dict):
        yield from _walk_object(value, shape, path)


def _walk_object(value: JsonObject, shape: JsonObject, path: Path) -> Iterator[Fault]:
    for field in shape.get("required", ()):
        if field not in value:
            yield Fault((*path, field), "missing")
    fields: JsonObject = shape.get("properties", {})
    others = shape.get("additionalProperties", True)
    known = tuple(fields) if others is False else ()
    for field, item in value.items():
        if field in fields:
            yield from _walk(item, fields[field], (*path, field))
        elif others is False:
            yield Fault((*path, field), "unknown", known)
        elif others is not True:
            yield from _walk(item, others, (*path, field))


def _types(shape: JsonObject) -> tuple[str, ...]:
    types = shape.get("type", ())
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
