"""The way through a workflow by its schema, wherever a pod, a container, a template or an artifact may stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from kubeci.model.json import JsonObject
from kubeci.policy.asks_found import EVERY, FOUND, WHOLE
from kubeci.settings.asks import Ask
from kubeci.workflow.faults import Path, schema


def asked(manifest: JsonObject) -> Iterator[tuple[Ask, Path, str]]:
    """Give all that a canonical manifest asks for, in its order: the kind, where it stands, and its name.

    A field that the schema knows in another case is taken for that one, and is unknown besides: Go's decoder takes it
    where Argo decodes a part by itself, as it does the steps of a template. What has another shape than its field's is
    left out; the schema finds it.
    """
    left: list[tuple[Any, JsonObject, Path]] = [(manifest, schema(), ())]
    while left:
        value, shape, path = left.pop()
        kind = ""
        while "$ref" in shape:
            kind = shape["$ref"].rpartition("/")[2]
            shape = schema()["$defs"][kind]
        inner: list[tuple[Any, JsonObject, Path]] = []
        if isinstance(value, list) and "items" in shape:
            inner = [(item, shape["items"], (*path, at)) for at, item in enumerate(value)]
        elif isinstance(value, dict):
            for name, item in value.items():
                field = _field(kind, str(name)) if shape.get("properties") else ""
                if field != name and shape.get("additionalProperties") is False:
                    yield Ask.UNKNOWN_FIELDS, (*path, name), str(name)
                for ask, names in (*FOUND.get((kind, field), ()), *FOUND.get((EVERY, field), ())):
                    for asked_for in names(item):
                        yield ask, (*path, name), asked_for
                if (kind, field) not in WHOLE and (within := _within(shape, field)):
                    inner.append((item, within, (*path, name)))
        left += reversed(inner)


def _within(shape: JsonObject, field: str) -> JsonObject | None:
    """Give the schema of a field's value; None: nothing in it can be asked for."""
    found = shape["properties"].get(field) if field else shape.get("additionalProperties")
    return found if isinstance(found, dict) else None


def _field(kind: str, name: str) -> str:
    """Give the field of an object that Go takes a name for; empty: none."""
    fields = _fields(kind)
    return name if name in fields.values() else fields.get(name.casefold(), "")


@cache
def _fields(kind: str) -> dict[str, str]:
    return {name.casefold(): name for name in schema()["$defs"][kind]["properties"]}
