"""The way through a workflow by its schema, wherever a pod, a container, a template or an artifact may stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from kubeci.model.json import JsonObject
from kubeci.policy.asks_found import EVERY, FOUND, WHOLE
from kubeci.settings.asks import Ask
from kubeci.workflow.faults import Path, schema

Way: TypeAlias = tuple["Way", str | int] | None
"""The way to an object, from its end: a manifest may be so deep that whole paths of all objects are too much."""


@dataclass(frozen=True, slots=True)
class _Object:
    value: JsonObject
    kind: str
    """Its definition in the schema; empty: it has none of its own."""
    shape: JsonObject
    way: Way


def asked(manifest: JsonObject) -> Iterator[tuple[Ask, Path, str]]:
    """Give all that a canonical manifest asks for, in its order: the kind, where it stands, and its name.

    A field that the schema knows in another case is taken for that one, and is unknown besides: Go's decoder takes it
    where Argo decodes a part by itself, as it does the steps of a template. What has another shape than its field's is
    left out; the schema finds it.
    """
    for each in _objects(manifest):
        for name, item in each.value.items():
            field = _field(each, name)
            found = (*FOUND.get((each.kind, field), ()), *FOUND.get((EVERY, field), ()))
            for ask, names in found:
                for asked_for in names(item):
                    yield ask, _path((each.way, name)), asked_for
            if field != name and each.shape.get("additionalProperties") is False:
                yield Ask.UNKNOWN_FIELDS, _path((each.way, name)), str(name)


def _objects(manifest: JsonObject) -> Iterator[_Object]:
    """Give the objects of a manifest that the schema knows, each before those in it."""
    left: list[tuple[Any, JsonObject, Way]] = [(manifest, schema(), None)]
    while left:
        value, shape, way = left.pop()
        kind = ""
        while "$ref" in shape:
            kind = shape["$ref"].rpartition("/")[2]
            shape = schema()["$defs"][kind]
        if isinstance(value, list) and "items" in shape:
            left += [(item, shape["items"], (way, at)) for at, item in reversed([*enumerate(value)])]
        elif isinstance(value, dict):
            found = _Object(value, kind, shape, way)
            yield found
            inner = [(item, _within(found, name), (way, name)) for name, item in value.items()]
            left += [(item, within, at) for item, within, at in reversed(inner) if within is not None]


def _path(way: Way) -> Path:
    steps: list[str | int] = []
    while way is not None:
        way, step = way
        steps.append(step)
    return tuple(reversed(steps))


def _within(holder: _Object, name: str) -> JsonObject | None:
    """Give the schema of a field's value; None: nothing in it can be asked for."""
    field = _field(holder, name)
    if (holder.kind, field) in WHOLE:
        return None
    found = holder.shape["properties"][field] if field else holder.shape.get("additionalProperties")
    return found if isinstance(found, dict) else None


def _field(holder: _Object, name: str) -> str:
    """Give the field of an object that Go takes a name for; empty: none."""
    fields = _fields(holder.kind) if holder.shape.get("properties") else {}
    return name if name in fields.values() else fields.get(name.casefold(), "")


@cache
def _fields(kind: str) -> dict[str, str]:
    return {name.casefold(): name for name in schema()["$defs"][kind]["properties"]}
