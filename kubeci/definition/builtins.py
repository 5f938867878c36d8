"""The modules that `load("builtin:///…")` brings: a table, one row a module (contract, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeci.definition import builtin_json, builtin_yaml


@dataclass(frozen=True, slots=True)
class Builtin:
    """A module: Starlark source whose public globals are what `load` brings, over functions of ours.

    The functions take and give JSON values; a private name cannot be loaded, so the source decides what is public.
    """

    source: str
    functions: Mapping[str, Callable[..., Any]]


BUILTINS: Mapping[str, Builtin] = {
    "/encoding/yaml": Builtin(
        "yaml = struct(loads = _loads, dumps = _dumps)",
        {"_loads": builtin_yaml.loads, "_dumps": builtin_yaml.dumps},
    ),
    "/encoding/json": Builtin(
        "def encode(x):\n    return _encode(x)\n\n"
        "def decode(x):\n    return _decode(x)\n\n"
        'def indent(str, *, prefix = "", indent = "\\t"):\n    return _indent(str, prefix, indent)\n',
        {"_encode": builtin_json.encode, "_decode": builtin_json.decode, "_indent": builtin_json.indent},
    ),
}
