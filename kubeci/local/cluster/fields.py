"""The check of an object's fields against its kind's schema, and what the server says about each problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import msgspec

from kubeci.local.cluster import workflow_rules
from kubeci.local.cluster.status import ApiError, Cause, bad_request, blocks, invalid, invalid_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeci.local.cluster.resources import Resource
    from kubeci.model.json import JsonObject

Path: TypeAlias = "tuple[str | int, ...]"
Level: TypeAlias = Literal["Strict", "Warn", "Ignore"]


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: a field that does not exist, one that is missing, or a value of a wrong type.

    `path` leads there from the object's root; `message` is the server's text about a wrong type, and unused else.
    """

    path: Path
    kind: Literal["unknown", "required", "type"]
    message: str = ""


class Schema(Protocol):
    """What knows the fields of a kind."""

    def problems(self, obj: JsonObject) -> Sequence[FieldProblem]:
        """Give every problem of an object."""
        ...


def wrong_type(path: Path, wanted: str, value: Any) -> FieldProblem:
    """Describe a value of a wrong type as the server does; `wanted` is a JSON schema type."""
    found = _type_name(value)
    text = written(path)
    message = f'Invalid value: "{found}": {text} in body must be of type {wanted}: "{found}"'
    return FieldProblem(path, "type", message)


def written(path: Path) -> str:
    """Write a path as the server does: `spec.templates[0].name`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Sent:
    """How an object came: the `level` of its validation, the fields that stood `twice` in it, whether by a `patch`."""

    level: Level
    twice: Sequence[str] = ()
    patch: bool = False


def prune(resource: Resource, obj: JsonObject, problems: Sequence[FieldProblem], sent: Sent) -> list[str]:
    """Take the unknown fields out of `obj` and give the warnings about them and those that stood twice.

    At the level Strict they are an ApiError 400 (422 of a patch), at Ignore there is no warning.
    """
    unknown = [(written(p.path), p.path) for p in problems if p.kind == "unknown"]
    if resource.custom or sent.patch:
        unknown.sort()
    texts = [f'duplicate field "{text}"' for text in sent.twice] + [
        f'unknown field "{text}"' for text, _ in unknown
    ]
    if texts and sent.level == "Strict":
        why = f"strict decoding error: {', '.join(texts)}"
        if sent.patch:
            shown = msgspec.json.encode(msgspec.json.encode(obj).decode()).decode()
            raise invalid_kind("", "", [Cause("patch", f"Invalid value: {shown}: {why}")])
        raise undecodable(resource, why)
    for _, path in unknown:
        _remove(obj, path)
    return [] if sent.level == "Ignore" else texts


def undecodable(resource: Resource, why: str) -> ApiError:
    """Refuse an object that cannot be read as its kind."""
    kind = resource.kind
    return bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')


def check(resource: Resource, name: str, obj: JsonObject, problems: Sequence[FieldProblem]) -> None:
    """Refuse an object with missing fields, wrong types or values: raises ApiError 422 with every cause."""
    causes = [_cause(problem) for problem in problems if problem.kind != "unknown"]
    if resource.custom:
        causes += workflow_rules.broken(obj, workflow_rules.SCHEMA)
        if not any(blocks(cause) for cause in causes):
            causes += workflow_rules.broken(obj, workflow_rules.RULES)
    if causes:
        raise invalid(resource, name, causes)


def _cause(problem: FieldProblem) -> Cause:
    if problem.kind == "required":
        return Cause(written(problem.path), "Required value", "FieldValueRequired")
    return Cause(written(problem.path), problem.message, "FieldValueTypeInvalid")


def _remove(obj: JsonObject, path: Path) -> None:
    target: Any = obj
    for step in path[:-1]:
        target = target[step]
    target.pop(path[-1], None)


def _type_name(value: Any) -> str:
    # the booleans come first: to Python they are integers
    names = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "null")
