"""Write anew the excerpt of argo-server's published API description that the tests hold requests and answers to.

python scripts/argo_server_description.py MODULE

MODULE is the folder of Argo's Go module as `go mod download -json github.com/argoproj/argo-workflows/v4@VERSION` names it in
`Dir`; only its `api/openapi-spec/swagger.json` is read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "tests" / "data" / "argo-server" / "swagger.json"
OPERATIONS = (
    ("get", "/api/v1/version"),
    ("get", "/api/v1/info"),
    ("get", "/api/v1/workflows/{namespace}/{name}"),
    ("get", "/api/v1/workflows/{namespace}/{name}/log"),
    ("put", "/api/v1/workflows/{namespace}/{name}/retry"),
    ("post", "/api/v1/workflows/{namespace}/lint"),
    ("get", "/artifacts/{namespace}/{name}/{nodeId}/{artifactName}"),
)
_PREFIX = "#/definitions/"


def excerpt(whole: dict[str, Any], version: str) -> dict[str, Any]:
    """Give the operations that are used, with all the definitions that they refer to, without prose."""
    paths: dict[str, Any] = {}
    for method, path in OPERATIONS:
        paths.setdefault(path, {})[method] = _without_prose(whole["paths"][path][method])
    definitions: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in definitions:
            definitions[name] = _without_prose(whole["definitions"][name])
            waiting += _references(definitions[name])
    return {
        "swagger": whole["swagger"],
        "info": {"title": whole["info"]["title"], "version": version},
        "paths": paths,
        "definitions": dict(sorted(definitions.items())),
    }


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(_PREFIX)
        for each in value.values():
            yield from _references(each)


def _without_prose(value: Any) -> Any:
    """Leave out descriptions; a field of that name is a schema, no text."""
    if isinstance(value, list):
        return [_without_prose(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_prose(each)
        for key, each in value.items()
        if not (key in {"description", "title", "summary"} and isinstance(each, str))
    }


def written(document: dict[str, Any]) -> str:
    """Write a line for each path and definition, so that differences can be read."""
    parts = []
    for key, value in document.items():
        if key in {"paths", "definitions"}:
            lines = ",\n".join(
                f"    {json.dumps(name)}: {json.dumps(each, separators=(',', ':'))}"
                for name, each in value.items()
            )
            parts.append(f"  {json.dumps(key)}: {{\n{lines}\n  }}")
        else:
            parts.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    module = Path(sys.argv[1])
    described = json.loads((module / "api" / "openapi-spec" / "swagger.json").read_text(encoding="utf-8"))
    TARGET.write_text(written(excerpt(described, module.name.partition("@")[2])), encoding="utf-8")
