"""What a plain YAML scalar means to Go's sigs.k8s.io/yaml, which reads by go-yaml v2's table (its resolve.go)."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_NOT_FINITE = frozenset(f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")) | {
    ".nan",
    ".NaN",
    ".NAN",
}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO](?P<oct>[0-7]+)|0(?P<old>[0-7]+)|(?P<dec>0|[1-9][0-9]*))",
    re.ASCII,
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "old": 8, "dec": 10}
_MAX_DIGITS = 400  # beyond any float; Python refuses to convert thousands of digits


def resolve(text: str) -> Scalar:
    """Give the value of an unquoted scalar.

    Dates and base-60 numbers are strings; integers over 64 bits become floats, a float that is none in Go
    stays a string. Numbers come as JSON carries them: `1e3` is 1000. Raises ValueError for infinities and NaN,
    which JSON does not have.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_FINITE:
        raise ValueError(f"{text} is a number that JSON cannot hold")
    if text[0] == ".":
        return _float(text) if _FLOAT.fullmatch(text) else text
    if text[0] not in "+-0123456789" or len(text) > _MAX_DIGITS:
        return text
    plain = text.replace("_", "")
    integer = _integer(plain)
    if integer is not None:
        return integer
    return _float(plain, text) if _FLOAT.fullmatch(plain) else text


def _integer(plain: str) -> int | None:
    match = _INTEGER.fullmatch(plain)
    if not match or match.lastgroup is None:
        return None
    value = int(match[match.lastgroup], _BASES[match.lastgroup])
    if match["sign"] == "-":
        return -value if value <= 1 << 63 else None
    return value if value < (1 << 63 if match["sign"] else 1 << 64) else None


def _float(plain: str, otherwise: str | None = None) -> Scalar:
    value = float(plain)
    return json_number(value) if math.isfinite(value) else plain if otherwise is None else otherwise


def json_number(value: float) -> int | float:
    """Give a float as Go's JSON writes it: without a fraction it is an integer."""
    return int(value) if value.is_integer() and abs(value) < 1 << 63 else value


def key_text(value: float) -> str:
    """Write a key that is no string as sigs.k8s.io/yaml does: Go's `true`, decimals, floats by `%g` of 32 bits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _float32_text(value)


def _float32_text(value: float) -> str:
    single = _single(value)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    text = next(text for digits in range(9) if _single(float(text := f"{single:.{digits}e}")) == single)
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    if power < -4 or power >= 6:  # where Go's shortest %g changes to an exponent
        return text
    decimals = len(mantissa.lstrip("-").replace(".", "")) - 1 - power
    return f"{single:.{max(decimals, 0)}f}"


def _single(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)
