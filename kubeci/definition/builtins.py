"""The modules that `load("builtin:///…")` brings: a table, one row a module (contract, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeci.definition import builtin_json, builtin_math, builtin_re, builtin_time, builtin_yaml


@dataclass(frozen=True, slots=True)
class Builtin:
    """A module: Starlark source whose public globals are what `load` brings, over functions of ours.

    The functions take and give JSON values; a private name cannot be loaded, so the source decides what is public.
    Objects with methods are structs of closures, made by the source.
    """

    source: str
    functions: Mapping[str, Callable[..., Any]]


def builtins(now: int) -> Mapping[str, Builtin]:
    """Give the modules of an evaluation; `now` is what their clock shows, in nanoseconds since 1970."""
    return {**_BUILTINS, "/time": Builtin(builtin_time.SOURCE, builtin_time.functions(now))}


_BUILTINS: Mapping[str, Builtin] = {
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
    "/math": Builtin(builtin_math.SOURCE, {"_calculate": builtin_math.calculate}),
    "/re": Builtin(
        builtin_re.SOURCE,
        {
            "_compile": builtin_re.check,
            "_match": builtin_re.match,
            "_search": builtin_re.search,
            "_findall": builtin_re.findall,
            "_split": builtin_re.split,
            "_sub": builtin_re.sub,
        },
    ),
}
