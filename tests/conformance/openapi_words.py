"""OpenAPI 3.0's dialect of JSON Schema (spec.openapis.org, "Schema Object"), put into plain JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def rewritten(schema: Any) -> Any:
    """Write a schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a type, what stands beside `$ref` goes."""
    if isinstance(schema, list):
        return [rewritten(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        return {"$ref": schema["$ref"]}
    # An example is data, and may hold anything.
    written = {
        key: rewritten(value)
        for key, value in schema.items()
        if key not in {"nullable", "example", "examples"}
    }
    if schema.get("nullable") is not True:
        return written
    if isinstance(written.get("type"), str):
        written["type"] = [written["type"], "null"]
        if "enum" in written:
            written["enum"] = [*written["enum"], None]
    return {"anyOf": [written, {"type": "null"}]}


def references(schema: Any) -> Iterator[str]:
    """List the references of a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from references(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for key, value in schema.items():
            if key not in {"example", "examples"}:
                yield from references(value)
