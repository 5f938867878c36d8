"""What a manifest has wrong by the fields that Argo and Kubernetes know, in words for its author (contract, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from kubeci.errors import Location, complaint
from kubeci.model.json import JsonObject
from kubeci.workflow.canonical import canonical
from kubeci.workflow.faults import Fault, Path, faults

Severity: TypeAlias = Literal["error", "warning"]

LIMIT = 50
"""Problems of one manifest that are told."""

_DEEPEST = 100
"""Steps of a path whose places are known at most: YAML nests no deeper."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault told to the author: where, what and what to do about it."""

    severity: Severity
    where: Location
    message: str
    hint: str = ""
    rule: str = ""
    """A short name for this kind of problem, for machines."""

    def __str__(self) -> str:
        """Write the problem as compilers do."""
        return complaint(self.message, self.where, self.hint)


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


def _problem(
    fault: Fault, manifest: JsonObject, positions: Mapping[str, tuple[int, int]], file: str
) -> Problem:
    severity: Severity = "warning" if fault.kind == "unknown" else "error"
    message, hint = _words(fault, manifest)
    return Problem(severity, place(fault.path, positions, file), message, hint, f"{fault.kind}-field")


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


def place(path: Path, positions: Mapping[str, tuple[int, int]], file: str) -> Location:
    """Find the place of a field, or of the closest thing around it whose place is known."""
    for end in range(min(len(path), _DEEPEST), -1, -1):
        pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path[:end])
        if pointer in positions:
            return Location(file, *positions[pointer])
    return Location(file)


def _short(text: str) -> str:
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= 60 else line[:59] + "…"
