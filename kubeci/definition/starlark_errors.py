"""The interpreter's error texts, taken apart: it tells file, line and column in its message alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from kubeci.errors import DefinitionError, Location

CANCELLED = "Evaluation cancelled"
PRELUDE = "prelude"
"""The module of ours that all others begin with; as a builtin's, its lines mean nothing to the author."""
MAX_MESSAGE = 2_000
MAX_FRAMES = 10

_PLACE = re.compile(r"\n *--> (?P<file>.+?):(?P<line>\d+):(?P<column>\d+)\n *\|")
_FRAME = re.compile(r"^  \* (?P<file>.+?):(?P<line>\d+)(?::\d+)?, in (?P<name>.+)$", re.MULTILINE)
_EXPECTED = re.compile(r", expected one of .{60,}", re.DOTALL)
_PYTHON_TYPE = re.compile(r"^(?:Refusal|[A-Za-z]+Error): ")
_NO_JSON = re.compile(r"Operation `serde::serialize` not supported on type `(.+?)`")
_OPERATOR = re.compile(r"Operation `\S+` not supported for types .*`(?:struct|function)`.*")
_NO_OPERATOR = (
    "; times and durations are added and compared by `add`, `sub`, `mul`, `div`, `before` of builtin:///time"
)
_MESSAGES = {
    CANCELLED: "used more than {cpu} seconds of CPU",
    "MemoryError:": "ran out of memory",
    "Starlark call stack overflow": "function called recursively; Starlark has no recursion",
}

Columns = Callable[[str, int, int], int]
"""Turns a file, line and column of the interpreter's into the author's column."""


def read_error(text: str, file: str, columns: Columns, cpu_seconds: int = 2) -> DefinitionError:
    """Turn an error text of the interpreter into ours.

    `file` is the module that was evaluated, for texts that name no place. The message loses the interpreter's art;
    the calls that led to it follow as lines of their own, innermost first, 10 at most.
    """
    head, _, body = text.partition("\nerror: ") if text.startswith("Traceback") else ("", "", text)
    places = list(_PLACE.finditer(body))
    where = Location(file)
    if places:
        at = places[-1]
        line, column = int(at["line"]), int(at["column"])
        where = Location(at["file"], line, columns(at["file"], line, column))
        if _is_ours(where.path):
            where = _caller(head) or where
        body = body[: at.start()]
    message = _plain(body.removeprefix("error: ").strip())
    if message in _MESSAGES:
        message = _MESSAGES[message].format(cpu=cpu_seconds)
    return DefinitionError("\n".join([message[:MAX_MESSAGE], *_calls(head)]), where=where)


def _plain(message: str) -> str:
    message = message.removeprefix("Parse error: ")
    message = _EXPECTED.sub("", _PYTHON_TYPE.sub("", message))
    if _OPERATOR.fullmatch(message):
        message += _NO_OPERATOR
    return _NO_JSON.sub(r"a \1 is no JSON value and cannot be passed", message)


def _is_ours(file: str) -> bool:
    return file == PRELUDE or file.startswith("builtin:")


def _caller(traceback: str) -> Location | None:
    """Find the author's call that led into a module of ours."""
    frames = [frame for frame in _FRAME.finditer(traceback) if not _is_ours(frame["file"])]
    return Location(frames[-1]["file"], int(frames[-1]["line"])) if frames else None


def _calls(traceback: str) -> list[str]:
    """List the calls that led to an error, innermost first; the same call again and again counts once."""
    calls = [
        f"called from {frame['file']}:{frame['line']}, in {frame['name']}"
        for frame in _FRAME.finditer(traceback)
        if not _is_ours(frame["file"])
    ]
    return list(dict.fromkeys(reversed(calls)))[:MAX_FRAMES]
