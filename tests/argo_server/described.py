"""argo-server's published API description (Swagger 2.0), made to judge single requests and answers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import msgspec

DESCRIPTION = Path(__file__).parents[1] / "data" / "argo-server" / "swagger.json"
_LOG = "/api/v1/workflows/{namespace}/{name}/log"


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(DESCRIPTION.read_bytes())
    return found


def operation(method: str, path: str) -> dict[str, Any] | None:
    """Find the operation of a request; None: the description knows none."""
    for template, methods in _document()["paths"].items():
        pattern = "".join(
            "[^/]+" if part.startswith("{") else part for part in re.split(r"(\{[^}]+\})", template)
        )
        if method.lower() in methods and re.fullmatch(pattern, path):
            return {"path": template, **methods[method.lower()]}
    return None


def request_problems(method: str, path: str, query: str, body: bytes) -> list[str]:
    """Say what is wrong with a request: an unknown path, parameter or field, a value of the wrong kind."""
    found = operation(method, path)
    if found is None:
        return [f"{method} {path} is not described"]
    parameters = {each["name"]: each for each in found.get("parameters", ())}
    problems = [f"?{name} is not described" for name, _ in parse_qsl(query) if name not in parameters]
    if "body" in parameters:
        return problems + _problems(parameters["body"]["schema"], body)
    return problems + (["a body, and none is described"] if body else [])


def answer_problems(method: str, path: str, status: int, body: bytes) -> list[str]:
    """Say what is wrong with an answer.

    Two things are described otherwise than argo-server does them: artifacts are refused in plain text, and the refusal of a
    stream is an object of the kind that may stand in the stream.
    """
    found = operation(method, path)
    if found is None:
        return [f"{method} {path} is not described"]
    described = found["responses"].get(str(status)) or found["responses"]["default"]
    if found["path"].startswith("/artifacts/"):
        return [] if status == 200 or body.endswith(b"\n") else ["a refusal that is no line of text"]
    if found["path"] == _LOG:
        lines = body.splitlines()
        return [each for line in lines for each in _problems(found["responses"]["200"]["schema"], line)]
    return _problems(described["schema"], body)


def _problems(schema: dict[str, Any], body: bytes) -> list[str]:
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return [f"is no JSON: {error}"]
    errors = _judge(msgspec.json.encode(schema)).iter_errors(_without_nulls(value))
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]


@cache
def _judge(schema: bytes) -> jsonschema_rs.Validator:
    definitions = {name: _closed(each) for name, each in _document()["definitions"].items()}
    whole = {**msgspec.json.decode(schema), "definitions": definitions}
    return jsonschema_rs.Draft4Validator(whole, validate_formats=True)


def _closed(schema: Any) -> Any:
    """Write a schema of Swagger as JSON Schema, where an object has the fields that are named and no other."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    written = {key: _closed(value) for key, value in schema.items()}
    if schema.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        written.setdefault("additionalProperties", False)
    return written


def _without_nulls(value: Any) -> Any:
    """Leave out what is null: Go writes an absent time so, and Swagger 2.0 has no word for it."""
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return value
