"""What a Starlark definition leaves in its global `workflow`, as a manifest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import starlark

from kubeci.errors import DefinitionError, Location

MAX_DEPTH = 100
MAX_VALUES = 200_000
MAX_WAY = 200

# The conversion of the interpreter turns infinities into null and structs into dicts, so the judge is Starlark.
_JUDGE = starlark.parse(
    "judge",
    f"""
load("main", "workflow")

_SIMPLE = ["string", "bool", "NoneType"]

def _judge(value, depth, count):
    kind = type(value)
    if kind in _SIMPLE:
        return None
    count[0] += 1
    if count[0] > {MAX_VALUES}:
        return ([], "holds more than {MAX_VALUES} values")
    if depth > {MAX_DEPTH}:
        return ([], "is nested deeper than {MAX_DEPTH}")
    if kind == "int":
        return None if -(1 << 63) <= value and value < (1 << 64) else ([], "is an integer of more than 64 bits")
    if kind == "float":
        return ([], "is " + str(value) + ", which JSON cannot hold") if str(value) in ["nan", "+inf", "-inf"] else None
    if kind == "dict":
        for key in value:
            if type(key) != "string":
                return ([], "has the key " + repr(key) + "; keys must be strings")
            found = _judge(value[key], depth + 1, count)
            if found:
                return ([key] + found[0], found[1])
        return None
    if kind == "list" or kind == "tuple":
        for index, item in enumerate(value):
            found = _judge(item, depth + 1, count)
            if found:
                return ([index] + found[0], found[1])
        return None
    return ([], "is a " + kind + "; a workflow is made of dicts, lists, tuples, strings, numbers, booleans and None")

fault = _judge(workflow, 0, [0])
value = None if fault else workflow
""",
    starlark.Dialect.standard(),
)
_GLOBALS = starlark.Globals.standard()
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_workflow(main: starlark.FrozenModule, path: str, text: str) -> Any:
    """Give the value of `workflow` as JSON values; None is the author's "as if this file were not there".

    DefinitionError when the global is missing or holds what is no JSON, with the way to it
    (`workflow.spec.templates[0].x`); `text` serves to find the line.
    """
    judge = starlark.Module()
    where = Location(path, workflow_line(text))
    try:
        starlark.eval_with(
            starlark.EvalOptions(max_callstack_size=MAX_DEPTH + 50),
            judge,
            _JUDGE,
            _GLOBALS,
            starlark.FileLoader(lambda _name: main),
        )
    except starlark.StarlarkError as error:
        if "ymbol `workflow`" not in str(error):
            raise
        raise DefinitionError(
            "leaves no global `workflow`",
            where=Location(path),
            hint="set it to a dict, or to None to use the YAML file",
        ) from None
    fault: Any = judge["fault"]
    if fault:
        keys, problem = fault
        raise DefinitionError(f"{_way(keys)} {problem}", where=where)
    return judge["value"]


def _way(keys: Sequence[str | int]) -> str:
    parts = [
        f".{key}" if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else f"[{key!r}]" for key in keys
    ]
    way = f"workflow{''.join(parts)}"
    return way if len(way) <= MAX_WAY else f"{way[:MAX_WAY]}…"


def workflow_line(text: str) -> int:
    """Find the line where the global is set last; 0 when it is not plain to see."""
    assignments = list(re.finditer(r"^workflow\b", text, re.MULTILINE))
    return text.count("\n", 0, assignments[-1].start()) + 1 if assignments else 0
