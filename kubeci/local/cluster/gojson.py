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


def _integer(text: str) -> int | float:
    number = int(text) if len(text) <= _INT64_DIGITS + 1 else 2**63
    return number if -(2**63) <= number < 2**63 else float(text)


def _refuse_constant(name: str) -> Any:
    raise ParseError(f"invalid character '{name[0]}' looking for beginning of value")


def _quoted(byte: int) -> str:
    return f"'{chr(byte)}'" if 0x20 <= byte < 0x7F else f"'\\x{byte:02x}'"
