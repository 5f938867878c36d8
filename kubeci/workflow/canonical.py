"""A manifest in the form that Argo's typed decoder gives it (contract, section 3)."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import Any

from kubeci.model.json import JsonObject

_PARAMETER_LISTS = frozenset({"arguments", "inputs", "outputs"})
_ANY_STRINGS = ("value", "default", "description")
# Values that Argo hands on as they are.
_OPAQUE = frozenset({"plugin", "withItems"})


def canonical(manifest: JsonObject) -> JsonObject:
    """Give a workflow in canonical form; the manifest itself is left as it is.

    Members that are null and `status` are dropped, and in parameters the fields that Argo takes as "any string" become
    strings. Nothing else is lost: a value of a wrong type stays for the schema to find.
    """
    whole: JsonObject = _without_nulls({key: value for key, value in manifest.items() if key != "status"})
    return whole


def any_string(value: object) -> object:
    """Write a scalar as Argo's AnyString reads it: every number as `strconv.FormatFloat(v, 'f', -1, 64)` writes it.

    What is no scalar, or no number that a double holds, is given back unchanged.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, int | float):
        return value
    try:
        number = float(value)
    except OverflowError:
        return value
    if not isfinite(number):
        return value
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _without_nulls(value: Any, key: str = "") -> Any:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        name: item if name in _OPAQUE else _without_nulls(item, name)
        for name, item in value.items()
        if item is not None
    }
    if key in _PARAMETER_LISTS and isinstance(kept.get("parameters"), list):
        kept["parameters"] = [_parameter(item) for item in kept["parameters"]]
    return kept


def _parameter(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    changed = {name: any_string(value[name]) for name in _ANY_STRINGS if name in value}
    if isinstance(value.get("enum"), list):
        changed["enum"] = [any_string(item) for item in value["enum"]]
    source = value.get("valueFrom")
    if isinstance(source, dict) and "default" in source:
        changed["valueFrom"] = {**source, "default": any_string(source["default"])}
    return {**value, **changed}
