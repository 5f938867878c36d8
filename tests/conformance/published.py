"""GitHub's published OpenAPI description, made to judge single requests and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import msgspec
from openapi_words import references, rewritten

from kubeci.model.json import JsonObject

FETCHED = Path(__file__).parents[2] / ".conformance" / "node_modules" / "@octokit"
# Their values may hold slashes.
_WHOLE_PATHS = {"ref", "path"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not as published; `where` is a JSON path."""

    where: str
    reason: str


class Description:
    """The description as a document; each operation is made ready when it is first asked for."""

    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self._operations: dict[str, Operation] = {}
        self._judges: dict[str, jsonschema_rs.Validator] = {}

    @classmethod
    def read(cls) -> Description:
        """Read what was fetched."""
        found = FETCHED / "openapi" / "generated" / "api.github.com.json"
        return cls(msgspec.json.decode(found.read_bytes()))

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Give the paths as patterns, those with the most written out first."""
        paths = sorted(self._document["paths"], key=lambda path: (path.count("{"), -len(path)))
        return [(_pattern(path), path) for path in paths]

    def operation(self, method: str, path: str) -> Operation | None:
        """Find the operation of a request; None: the description knows none."""
        for pattern, template in self._patterns:
            if method.lower() in self._document["paths"][template] and pattern.fullmatch(path):
                name = f"{method} {template}"
                found = self._operations.get(name)
                return found or self._operations.setdefault(name, Operation(self, name))
        return None

    def webhook(self, event: str, action: str | None) -> JsonObject | None:
        """Give the schema of an event's payload; None: the description knows none."""
        name = "-".join(filter(None, (event, action))).replace("_", "-")
        if name not in self._document["x-webhooks"]:
            return None
        found: JsonObject = self._document["x-webhooks"][name]["post"]["requestBody"]
        return dict(found["content"]["application/json"]["schema"])

    def at(self, pointer: str) -> Any:
        """Follow a reference of the document."""
        found: Any = self._document
        for part in pointer.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return found

    def followed(self, value: JsonObject) -> JsonObject:
        """Give what stands behind a reference, or the value itself."""
        while "$ref" in value:
            value = self.at(value["$ref"])
        return value

    def problems(self, name: str, schema: JsonObject, value: object) -> list[Problem]:
        """Judge a value by a schema; `name` identifies the schema."""
        judge = self._judges.get(name)
        if judge is None:
            judge = jsonschema_rs.Draft202012Validator(self._closed(schema), validate_formats=True)
            self._judges[name] = judge
        return [
            Problem("/".join(map(str, error.instance_path)), error.message[:300])
            for error in judge.iter_errors(value)
        ]

    def names(self, schema: JsonObject) -> set[str]:
        """Give all the keys that a schema of an object knows, in any of its variants."""
        schema = self.followed(schema)
        found = set(schema.get("properties", ()))
        for word in ("allOf", "anyOf", "oneOf"):
            for variant in schema.get(word, ()):
                found |= self.names(variant)
        return found

    def _closed(self, schema: JsonObject) -> JsonObject:
        """Give a schema with all that it refers to, in JSON Schema's words."""
        whole = {**rewritten(schema), "components": {"schemas": {}}}
        waiting = list(references(schema))
        while waiting:
            pointer = waiting.pop()
            name = pointer.removeprefix("#/components/schemas/")
            if name not in whole["components"]["schemas"]:
                referred = self.at(pointer)
                whole["components"]["schemas"][name] = rewritten(referred)
                waiting += references(referred)
        return whole


class Operation:
    """One operation of the description; `name` is `METHOD /path/{template}`."""

    def __init__(self, description: Description, name: str) -> None:
        self.name = name
        self._description = description
        method, _, template = name.partition(" ")
        around = description._document["paths"][template]
        self._found: JsonObject = around[method.lower()]
        parameters = [*around.get("parameters", ()), *self._found.get("parameters", ())]
        self._query = {
            each["name"]: each for each in map(description.followed, parameters) if each["in"] == "query"
        }

    def request_problems(self, query: str, body: object) -> list[Problem]:
        """Say what is wrong with a request: unknown or missing parameters and keys, values of the wrong kind."""
        given = dict(parse_qsl(query, keep_blank_values=True))
        found = [Problem(f"?{name}", "is unknown") for name in given.keys() - self._query.keys()]
        for name, parameter in self._query.items():
            if name in given:
                found += self._parameter_problems(parameter, given[name])
            elif parameter.get("required"):
                found.append(Problem(f"?{name}", "is missing"))
        return found + self._body_problems(body)

    def answer_problems(self, status: int, body: object) -> list[Problem]:
        """Say what is wrong with an answer: a status that is not described, a body of another shape."""
        answer = self._found["responses"].get(str(status))
        if answer is None:
            return [Problem("", f"status {status} is not described")]
        content = self._description.followed(answer).get("content", {})
        if "application/json" not in content:
            return [Problem("", "has a body, and none is described")] if body is not None else []
        schema = content["application/json"]["schema"]
        return self._description.problems(f"{self.name} {status}", schema, body)

    def _parameter_problems(self, parameter: JsonObject, text: str) -> list[Problem]:
        name = f"{self.name} ?{parameter['name']}"
        schema = self._description.followed(parameter["schema"])
        value: object = int(text) if schema.get("type") == "integer" and text.isdecimal() else text
        return self._description.problems(name, parameter["schema"], value)

    def _body_problems(self, body: object) -> list[Problem]:
        described = self._found.get("requestBody")
        if body is None or described is None:
            wrong = body is not None or bool((described or {}).get("required"))
            return [Problem("", "the body is missing, or there must be none")] if wrong else []
        schema = described["content"]["application/json"]["schema"]
        found = self._description.problems(f"{self.name} body", schema, body)
        # The description lets unknown keys pass where the service does not.
        return [*found, *self._unknown_keys(schema, body, "")]

    def _unknown_keys(self, schema: JsonObject, value: object, where: str) -> Iterator[Problem]:
        schema = self._description.followed(schema)
        known = self._description.names(schema)
        if isinstance(value, list):
            for index, each in enumerate(value):
                yield from self._unknown_keys(schema.get("items", {}), each, f"{where}/{index}")
        elif isinstance(value, dict) and known:
            for key, each in value.items():
                if key not in known:
                    yield Problem(f"{where}/{key}", "is unknown")
                yield from self._unknown_keys(
                    schema.get("properties", {}).get(key, {}), each, f"{where}/{key}"
                )


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{([^}]*)\}", template)
    return re.compile(
        "".join(
            re.escape(part) if index % 2 == 0 else (".+" if part in _WHOLE_PATHS else "[^/]+")
            for index, part in enumerate(parts)
        )
    )
