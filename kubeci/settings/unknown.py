"""Keys of a settings file that are not settings, at any depth."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct

from kubeci.model.json import JsonObject


def unknown_keys(document: JsonObject, shape: type[Struct], prefix: str = "") -> list[str]:
    """List the keys of a document that its shape does not have, each as a sentence with the nearest key there is."""
    fields = {entry.encode_name: entry.type for entry in msgspec.structs.fields(shape)}
    found: list[str] = []
    for key, value in document.items():
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"; did you mean `{prefix}{near[0]}`?" if near else ""
            found.append(f"`{prefix}{key}` is not a setting{hint}")
            continue
        for inner, part, where in _parts(fields[key], value, f"{prefix}{key}"):
            found += unknown_keys(part, inner, f"{where}.")
    return found


def _parts(shape: Any, value: Any, where: str) -> Iterator[tuple[type[Struct], JsonObject, str]]:
    """Pair each mapping within a value with the struct that it is read as."""
    if isinstance(shape, types.UnionType):
        for choice in get_args(shape):
            yield from _parts(choice, value, where)
    elif isinstance(shape, type) and issubclass(shape, Struct):
        if isinstance(value, dict):
            yield shape, value, where
    elif get_origin(shape) is tuple and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _parts(get_args(shape)[0], item, f"{where}[{number}]")
    elif get_origin(shape) is dict and isinstance(value, dict):
        for name, item in value.items():
            yield from _parts(get_args(shape)[1], item, f"{where}.{name}")
