"""Loops: `withItems`, `withParam` and `withSequence` become steps with names of their own."""

from __future__ import annotations

import json
import re
from typing import Any

from kubeci.local.cluster import gojson
from kubeci.local.engine.variables import substitute
from kubeci.model.json import JsonObject

LOOP_LIMIT = 1000  # nodes of one loop; a laptop is no cluster
LOOP_FIELDS = ("withItems", "withParam", "withSequence")
# Argo keeps parentheses out of node names: they are its own separators.
_NOT_IN_NAMES = str.maketrans("", "", "()")
_VERB = re.compile(r"%(0?)(\d{0,3})([dxX])")


class LoopError(Exception):
    """The loop's items cannot be read; the text is the controller's message."""


def is_loop(step: JsonObject) -> bool:
    """Say whether a step or task is to be expanded."""
    return any(step.get(field) for field in LOOP_FIELDS)


def expand(step: JsonObject) -> list[JsonObject]:
    """Give one step for each item, named `NAME(INDEX:ITEM)`, its `{{item}}` tags replaced.

    Raises `LoopError` for items that are no list, and for more than `LOOP_LIMIT`.
    """
    items = _items(step)
    if len(items) > LOOP_LIMIT:
        raise LoopError(
            f"the local engine runs at most {LOOP_LIMIT} items of a loop, not {len(items)}; use a cluster for it"
        )
    body = {key: value for key, value in step.items() if key not in LOOP_FIELDS}
    expanded = []
    for index, item in enumerate(items):
        one: JsonObject = substitute(body, _scope(item))
        one["name"] = f"{step['name']}({index}:{_shown(item).translate(_NOT_IN_NAMES)})"
        expanded.append(one)
    return expanded


def _items(step: JsonObject) -> list[Any]:
    if step.get("withItems"):
        return list(step["withItems"])
    if step.get("withSequence"):
        return _sequence(step["withSequence"])
    text = step["withParam"]
    try:
        items = gojson.parse(text.encode())
    except gojson.ParseError as error:
        raise _no_list(text, str(error)) from None
    if not isinstance(items, list | None):
        kind = {dict: "object", str: "string", bool: "bool"}.get(type(items), "number")
        raise _no_list(text, f"json: cannot unmarshal {kind} into Go value of type []v1alpha1.Item")
    return items or []


def _no_list(text: str, why: str) -> LoopError:
    return LoopError(f"withParam value could not be parsed as a JSON list: {text.strip()}: {why}")


def _sequence(sequence: JsonObject) -> list[str]:
    try:
        start = int(str(sequence.get("start") or 0))
        if sequence.get("count") is not None:
            end = start + int(str(sequence["count"])) - 1
        else:
            end = int(str(sequence.get("end") or 0))
    except ValueError as error:
        raise LoopError(f"withSequence is not made of whole numbers: {error}") from error
    if sequence.get("count") is not None and end < start:
        return []
    numbers = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    if len(numbers) > LOOP_LIMIT:
        raise LoopError(f"the local engine runs at most {LOOP_LIMIT} items of a loop; use a cluster for it")
    return [_format(sequence.get("format") or "%d", number) for number in numbers]


def _format(text: str, number: int) -> str:
    found = _VERB.search(text)
    if not found:
        raise LoopError(f"withSequence.format '{text}' has no %d")
    zero, width, verb = found.groups()
    return text[: found.start()] + format(number, f"{zero}{width or ''}{verb}") + text[found.end() :]


def _scope(item: Any) -> dict[str, str]:
    scope = {"item": as_text(item)}
    if isinstance(item, dict):
        scope |= {f"item.{key}": as_text(value) for key, value in item.items()}
    return scope


def as_text(value: Any) -> str:
    """Write a JSON value as a parameter's value: strings plainly, the rest as compact JSON."""
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    )


def _shown(item: Any) -> str:
    """Write an item as it stands in a node's name; text keeps the escapes that it has in JSON."""
    if isinstance(item, dict):
        return ",".join(f"{key}:{as_text(item[key])}" for key in sorted(item))
    if isinstance(item, list | None):
        return f"[{' '.join(map(_shown, item or []))}]"  # as Go prints a list
    return json.dumps(item, ensure_ascii=False)[1:-1] if isinstance(item, str) else as_text(item)
