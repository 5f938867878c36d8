"""The `depends` of a DAG's task: which tasks it waits for, and whether it runs.

    or   := and ('||' and)*     and  := unary ('&&' unary)*
    unary := '!'* atom          atom := '(' or ')' | TASK '.' RESULT | TASK

A task without a result means that it succeeded, was skipped or is a daemon, and also that it failed where the task's
`continueOn` says so (Argo's page "Enhanced Depends Logic").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubeci.model.json import JsonObject

RESULTS = frozenset(
    {"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed"}
)
LENGTH_LIMIT = 20_000
DEPTH_LIMIT = 64
_TOKEN = re.compile(
    r"\s*(?:(?P<op>\|\||&&|!|\(|\))|(?P<task>[A-Za-z0-9_][-\w]*)(?:\.(?P<result>[A-Z][A-Za-z]+))?)"
)


class DependsError(Exception):
    """The expression cannot be read; the text says where."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A task with a result; `result` is empty when the expression names the task alone."""

    task: str
    result: str = ""


@dataclass(frozen=True, slots=True)
class Depends:
    """A read expression: `postfix` holds operands and the operators `!`, `&&`, `||`, in postfix order."""

    postfix: tuple[Operand | str, ...]

    @property
    def tasks(self) -> list[str]:
        """Name the tasks waited for, in the order of the text, each once."""
        return list(dict.fromkeys(item.task for item in self.operands))

    @property
    def operands(self) -> list[Operand]:
        """Give the tasks with the results that are asked of them."""
        return [item for item in self.postfix if isinstance(item, Operand)]

    def holds(self, results: Mapping[str, frozenset[str]]) -> bool:
        """Decide with the results of each task, where a task named alone has the result ``""``."""
        stack: list[bool] = []
        for item in self.postfix:
            if isinstance(item, Operand):
                stack.append(item.result in results[item.task])
            elif item == "!":
                stack.append(not stack.pop())
            else:
                right, left = stack.pop(), stack.pop()
                stack.append((left and right) if item == "&&" else (left or right))
        return not stack or stack[0]


def depends_of(task: JsonObject) -> Depends:
    """Read a task's `depends`, or its `dependencies` (all of them)."""
    text: str = task.get("depends") or " && ".join(task.get("dependencies") or [])
    return parse_depends(text)


def parse_depends(text: str) -> Depends:
    """Read an expression; an empty one waits for nothing. Raises `DependsError`."""
    if len(text) > LENGTH_LIMIT:
        raise DependsError(f"longer than {LENGTH_LIMIT} characters")
    if not text.strip():
        return Depends(())
    parser = _Parser(_tokens(text))
    parser.either(0)
    if parser.rest:
        raise DependsError(f"unexpected '{parser.rest[0]}'")
    return Depends(tuple(parser.postfix))


def satisfied_results(task: Mapping[str, Any]) -> frozenset[str]:
    """Name the results that a bare task name accepts, with the task's `continueOn`."""
    go_on = task.get("continueOn") or {}
    extra = {"Errored": go_on.get("error"), "Failed": go_on.get("failed")}
    return frozenset({"Succeeded", "Skipped", "Daemoned"} | {name for name, on in extra.items() if on})


def _tokens(text: str) -> list[Operand | str]:
    tokens: list[Operand | str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise DependsError(f"unexpected '{text[at:].strip()[:1]}'")
        at = found.end()
        if found["op"]:
            tokens.append(found["op"])
            continue
        if found["result"] and found["result"] not in RESULTS:
            raise DependsError(f"task result '{found['result']}' for task '{found['task']}' is invalid")
        tokens.append(Operand(found["task"], found["result"] or ""))
    return tokens


class _Parser:
    """Recursive descent into postfix order."""

    def __init__(self, tokens: list[Operand | str]) -> None:
        self.rest = tokens
        self.postfix: list[Operand | str] = []

    def either(self, depth: int) -> None:
        """Read alternatives."""
        self._both(depth)
        while self.rest and self.rest[0] == "||":
            self.rest.pop(0)
            self._both(depth)
            self.postfix.append("||")

    def _both(self, depth: int) -> None:
        self._unary(depth)
        while self.rest and self.rest[0] == "&&":
            self.rest.pop(0)
            self._unary(depth)
            self.postfix.append("&&")

    def _unary(self, depth: int) -> None:
        if depth > DEPTH_LIMIT:
            raise DependsError(f"nested deeper than {DEPTH_LIMIT}")
        if not self.rest:
            raise DependsError("unexpected end")
        item = self.rest.pop(0)
        if isinstance(item, Operand):
            self.postfix.append(item)
        elif item == "!":
            self._unary(depth + 1)
            self.postfix.append("!")
        elif item == "(":
            self.either(depth + 1)
            if not self.rest or self.rest.pop(0) != ")":
                raise DependsError("missing ')'")
        else:
            raise DependsError(f"unexpected '{item}'")
