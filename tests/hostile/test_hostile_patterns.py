"""No pattern of ours takes longer than its text is long: each is found in the source, and tried with what makes patterns go back."""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

import kubeci

ROOT = Path(kubeci.__file__).parent
LENGTH = 10_000
MAX_SECONDS = 0.15
"""Processor time. A pattern that goes back takes a second over so much, others some milliseconds."""
Used = tuple[str, re.Pattern[str], frozenset[str]]
"""Where a pattern stands, the pattern, and the methods by which it is used."""
METHODS = ("match", "fullmatch", "search", "sub", "findall", "finditer", "split")
PIECES = [
    *["a", "A", "0", " ", "\t", "\n", "\r", "`", "{", "}", "[", "(", '"', "'", "\\", ":", "/", ".", "-", "_", ",", "=", "<", ">"],
    *["$", "%", "@", "|", "*", "#", "!", "\x1b", "\x1b[", "\x1b]", "{{", "}}", "{{=", "a:", "a:1:", "a.", "a-", "* a", "  * ", "--", "<!--"],
    *["\n --> a:1:", "\n  * a:", "child '", "time=", '{"level":"info"', "spec.", "[0]", "eyJ", "://", "?token", "-----BEGIN ", "bearer ", "é"],
]  # fmt: skip
ENDS = ("", "!", "\x00")
BOUNDED = {
    "kubeci/cluster/causes.py:_OBJECT": 2_000,  # MAX_MESSAGE of kubeci/cluster/errors.py
    "kubeci/definition/builtin_json.py:_TOKEN": 1_000,  # the sandbox has a limit of time, which is the author's own
    "kubeci/settings/duration.py:_PART": 1_000,  # the operator's own
    "kubeci/workflow/quantity.py:_QUANTITY": 32,  # its LIMIT, looked at before
}
"""Patterns that go back, and how long a text they are ever given."""


def _sources() -> Iterator[Path]:
    """Find the modules whose patterns may meet a stranger's text."""
    for path in sorted(ROOT.rglob("*.py")):
        if path.relative_to(ROOT).parts[0] != "local" and re.search(r"\bre\.", path.read_text()):
            yield path.relative_to(ROOT.parent)


@cache
def _patterns(place: Path) -> list[Used]:
    return list(_found(place))


def _found(place: Path) -> Iterator[Used]:
    """Find the patterns that stand in a module's source, and how each is used."""
    source = (ROOT.parent / place).read_text()
    named = place.as_posix().removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    compiled = vars(importlib.import_module(named)) if "re.compile" in source else {}
    for name, found in compiled.items():
        if isinstance(found, re.Pattern) and re.search(rf"^{name}\b.*=", source, re.MULTILINE):
            used = frozenset(re.findall(rf"\b{name}\.({'|'.join(METHODS)})\(", source))
            yield f"{place}:{name}", found, used or frozenset({"fullmatch", "search"})
    if not re.search(rf"\bre\.({'|'.join(METHODS)})\(", source):
        return
    for call in ast.walk(ast.parse(source)):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and (call.func.value.id, call.func.attr in METHODS) == ("re", True)
            and isinstance(call.args[0], ast.Constant)
            and isinstance(call.args[0].value, str)
        ):
            flags = re.MULTILINE if "re.MULTILINE" in ast.unparse(call) else re.NOFLAG
            yield f"{place}:{call.lineno}", re.compile(call.args[0].value, flags), frozenset({call.func.attr})


@cache
def _texts(length: int) -> list[str]:
    return [piece * (length // len(piece)) + end for piece, end in product(PIECES, ENDS)]


def _use(pattern: re.Pattern[str], method: str, text: str) -> None:
    if method == "sub":
        pattern.sub("", text)
    elif method == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, method)(text)


@pytest.mark.parametrize("place", [*_sources()], ids=str)
def test_a_pattern_takes_time_in_proportion(place: Path) -> None:
    slow = []
    for name, pattern, methods in _patterns(place):
        for method in sorted(methods):
            for text in _texts(BOUNDED.get(name, LENGTH)):
                started = time.thread_time()
                _use(pattern, method, text)
                if (took := time.thread_time() - started) > MAX_SECONDS:
                    slow.append((name, method, text[:12], text[-1], round(took, 2)))
                    break
    assert slow == []


def test_the_patterns_are_found() -> None:
    found = {name for place in _sources() for name, _, _ in _patterns(place)}
    assert len(found) > 60
    assert BOUNDED.keys() <= found
