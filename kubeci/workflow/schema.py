"""The fields of a Workflow as Argo and Kubernetes know them, and what a manifest has wrong (contract, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from itertools import islice
from typing import Any, Literal, TypeAlias

import jsonschema_rs
import msgspec

from kubeci.errors import Location
from kubeci.model.json import JsonObject
from kubeci.workflow.canonical import canonical

Path: TypeAlias = tuple[str | int, ...]
Severity: TypeAlias = Literal["error", "warning"]

FAULTS_LIMIT = 1000
"""Faults of one manifest that are looked for."""
LIMIT = 50
"""Problems of one manifest that are told."""


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


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault told to the author: where, what and what to do about it."""

    severity: Severity
    where: Location
    message: str
    hint: str = ""


def faults(manifest: JsonObject) -> list[Fault]:
    """Hold a manifest, as it is, against the schema; gives what is wrong, `FAULTS_LIMIT` places at most."""
    errors = _validator().iter_errors(manifest)
    return list(islice((fault for error in errors for fault in _faults(error)), FAULTS_LIMIT))


def problems(
    manifest: JsonObject, positions: Mapping[str, tuple[int, int]], path: str
) -> tuple[Problem, ...]:
    """Tell what is wrong with a manifest as its author wrote it; it is brought into canonical form first.

    `positions` maps JSON pointers to line and column, as far as known; `path` is the file. An unknown field is a
    warning, since the cluster may know more than this schema; everything else is an error. Errors come first, at most
    `LIMIT` problems.
    """
    found = sorted(faults(canonical(manifest)), key=lambda fault: fault.kind == "unknown")
    told = (_problem(fault, manifest, positions, path) for fault in found[:LIMIT])
    return tuple(sorted(told, key=lambda problem: (problem.severity, problem.where.line)))


@cache
def _schema() -> JsonObject:
    text = resources.files("kubeci.workflow").joinpath("workflow.schema.json").read_bytes()
    schema: JsonObject = msgspec.json.decode(text)
    return schema


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_schema())


def _faults(error: jsonschema_rs.ValidationError) -> list[Fault]:
    path = tuple(error.instance_path)
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        known = tuple(_definition(error.schema_path).get("properties", {}))
        return [Fault((*path, field), "unknown", known) for field in kind.unexpected]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [Fault((*path, kind.property), "missing")]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Type):
        return [Fault(path, "type", tuple(kind.types))]
    return [Fault(path, "value", (str(_definition(error.schema_path).get("const", "")),))]


def _definition(schema_path: list[str | int]) -> dict[str, Any]:
    """Find the part of the schema that holds the keyword at the path's end."""
    part: Any = _schema()
    for step in schema_path[:-1]:
        part = part[step]
    return part if isinstance(part, dict) else {}


def _problem(
    fault: Fault, manifest: JsonObject, positions: Mapping[str, tuple[int, int]], file: str
) -> Problem:
    severity: Severity = "warning" if fault.kind == "unknown" else "error"
    message, hint = _words(fault, manifest)
    return Problem(severity, _place(fault.path, positions, file), message, hint)


def _words(fault: Fault, manifest: JsonObject) -> tuple[str, str]:
    field = f"`{_short(_last_name(fault.path))}`"
    around = _around(_holder(fault.path), manifest)
    value = _value(manifest, fault.path)
    if fault.kind == "unknown":
        near = _nearest(str(fault.path[-1]), fault.known)
        return f"{field} is not a field of {around}", f"did you mean `{near}`?" if near else ""
    if fault.kind == "missing":
        return f"{field} is missing in {around}", ""
    if fault.kind == "value":
        return f"{field} is `{_short(str(value))}`", f"a definition has `{fault.known[0]}`"
    wanted = " or ".join(_TYPES.get(name, name) for name in fault.known)
    named = f"{field} in {around}" if fault.path else "the definition"
    return f"{named} must be {wanted}, not {_TYPES[_type_of(value)]}", ""


_TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def _type_of(value: object) -> str:
    kinds: dict[type, str] = {
        str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object",
    }  # fmt: skip
    return kinds.get(type(value), "null")


def _around(path: Path, manifest: JsonObject) -> str:
    """Name the object at a path as its author would: the field that holds it, and the template around it."""
    if not path:
        return "a Workflow"
    template = _template(path, manifest)
    if template and len(path) == 3:
        return template
    return f"`{_short(_last_name(path))}`" + (f" in {template}" if template else "")


def _template(path: Path, manifest: JsonObject) -> str:
    if path[:2] != ("spec", "templates") or len(path) < 3:
        return ""
    name = _value(manifest, (*path[:3], "name"))
    return f"the template `{_short(name)}`" if isinstance(name, str) else f"template {int(path[2]) + 1}"


def _holder(path: Path) -> Path:
    """Give the path of the object that holds a field, or the list that holds an item."""
    end = len(path)
    while end and not isinstance(path[end - 1], str):
        end -= 1
    return path[: max(0, end - 1)]


def _last_name(path: Path) -> str:
    """Write the last field of a path with the indexes after it: `env[0]`."""
    text = ""
    for step in reversed(path):
        if isinstance(step, str):
            return step + text
        text = f"[{step}]{text}"
    return text


def _value(manifest: Any, path: Path) -> Any:
    for step in path:
        try:
            manifest = manifest[step]
        except (KeyError, IndexError, TypeError):
            return None
    return manifest


def _nearest(field: str, known: tuple[str, ...]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(field[:60].lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[near[0]] if near else ""


def _place(path: Path, positions: Mapping[str, tuple[int, int]], file: str) -> Location:
    """Find the place of a field, or of the closest thing around it whose place is known."""
    for end in range(len(path), -1, -1):
        pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path[:end])
        if pointer in positions:
            return Location(file, *positions[pointer])
    return Location(file)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
