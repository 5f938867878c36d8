"""Error messages of Go's parsers, which the API server passes on: JSON, base64 and times."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTEXTS = {
    "Expecting property name": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Extra data": "after top-level value",
}
_LITERALS = {"n": "null", "t": "true", "f": "false"}

MICRO_TIME = "2006-01-02T15:04:05.000000Z07:00"
_MICRO_TIME_PARTS = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d{2}"),
    ("-", "-"),
    ("02", r"\d{2}"),
    ("T", "T"),
    ("15", r"\d{2}"),
    (":", ":"),
    ("04", r"\d{2}"),
    (":", ":"),
    ("05", r"\d{2}"),
    (".000000", r"\.\d{6}"),
    ("Z07:00", r"Z|[+-]\d{2}:\d{2}"),
)
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
_INT64_DIGITS = 19


class ParseError(ValueError):
    """A text that cannot be parsed; its message is Go's."""


def parse(text: bytes) -> Any:
    """Parse JSON as Go's `encoding/json` does; raises ParseError with its message.

    What is no Unicode becomes U+FFFD, and integers of more than 64 bits become floats.
    """
    document = text.decode("utf-8", "surrogateescape")
    try:
        value = json.loads(document, parse_constant=_refuse_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()):
            raise ParseError("unexpected end of JSON input") from None
        context = next(
            (go for python, go in _CONTEXTS.items() if error.msg.startswith(python)), "in string literal"
        )
        if context == _CONTEXTS["Expecting value"] and (literal := _LITERALS.get(error.doc[error.pos])):
            raise ParseError(_in_literal(literal, error.doc[error.pos :])) from None
        found = error.doc[error.pos].encode("utf-8", "surrogateescape")[0]
        raise ParseError(f"invalid character {_quoted(found)} {context}") from None
    except RecursionError:
        raise ParseError("exceeded max depth") from None
    if not _LONE_SURROGATE.search(document):
        return value
    mended = (
        json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
    return json.loads(mended, parse_int=_integer)


class _Repeated(dict[str, Any]):
    """An object in which fields stand twice."""

    names: tuple[str, ...] = ()


def _noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    obj = dict(pairs)
    if len(obj) == len(pairs):
        return obj
    noted, names = _Repeated(obj), [name for name, _ in pairs]
    noted.names = tuple(name for name in obj if names.count(name) > 1)
    return noted


def repeated(text: bytes) -> list[str]:
    """Name the fields that stand twice in a JSON document, by their paths; none of what is no JSON."""
    try:
        document = json.loads(text, object_pairs_hook=_noted)
    except (ValueError, RecursionError):
        return []
    found: list[str] = []
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, _Repeated):
            found += [f"{path}.{name}".lstrip(".") for name in value.names]
        if isinstance(value, dict):
            stack += [(f"{path}.{key}", one) for key, one in value.items() if isinstance(one, dict | list)]
        elif isinstance(value, list):
            stack += [(f"{path}[{index}]", one) for index, one in enumerate(value)]
    return sorted(found)


def check_micro_time(text: str) -> None:
    """Check a time with exactly six digits after the point; raises ParseError with the message of Go's `time`."""
    position = 0
    for layout, pattern in _MICRO_TIME_PARTS:
        match = re.compile(pattern).match(text, position)
        if not match:
            rest = f'cannot parse "{text[position:]}" as "{layout}"'
            raise ParseError(f'parsing time "{text}" as "{MICRO_TIME}": {rest}')
        position = match.end()
    if position < len(text):
        raise ParseError(f'parsing time "{text}": extra text: "{text[position:]}"')


def _in_literal(literal: str, text: str) -> str:
    """Say where a text leaves the literal that it begins like."""
    for wanted, found in zip(literal, text, strict=False):
        if wanted != found:
            byte = found.encode("utf-8", "surrogateescape")[0]
            return f"invalid character {_quoted(byte)} in literal {literal} (expecting '{wanted}')"
    return "unexpected end of JSON input"


def _integer(text: str) -> int | float:
    number = int(text) if len(text) <= _INT64_DIGITS + 1 else 2**63
    return number if -(2**63) <= number < 2**63 else float(text)


def _refuse_constant(name: str) -> Any:
    raise ParseError(f"invalid character '{name[0]}' looking for beginning of value")


def _quoted(byte: int) -> str:
    return f"'{chr(byte)}'" if chr(byte).isprintable() else f"'\\x{byte:02x}'"
