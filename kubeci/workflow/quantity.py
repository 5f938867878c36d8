"""Kubernetes' notation of amounts (kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity)."""

from __future__ import annotations

import re
from fractions import Fraction

LIMIT = 32  # characters; the largest amount that Kubernetes can hold has 19 digits
_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))"
    r"(?:(?P<unit>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_THOUSANDS = {unit: power for power, unit in enumerate("num kMGTPE", start=-3)}
_BINARY = {f"{unit}i": power for power, unit in enumerate("KMGTPE", start=1)}


def quantity(text: str) -> Fraction | None:
    """Give the amount that `text` stands for: `1.5Gi`, `500M`, `1e9`; None: Kubernetes would not take it.

    What Kubernetes takes and cannot hold (over 32 characters, an exponent of three digits) is none either.
    """
    found = _QUANTITY.fullmatch(text) if len(text) <= LIMIT else None
    if not found:
        return None
    number, unit = Fraction(found["number"].rstrip(".")), found["unit"]
    if unit in _BINARY:
        return number * Fraction(1024) ** _BINARY[unit]
    if unit:
        return number * Fraction(1000) ** _THOUSANDS[unit]
    return number * Fraction(10) ** int(found["exponent"] or 0)
