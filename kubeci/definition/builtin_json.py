"""`builtin:///encoding/json`, as starlark-go's `json` module does it (contract, section 3)."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s"{}\[\],:]+)')


def encode(x: Any) -> str:
    """Write a value as JSON without blanks, keys sorted."""
    return json.dumps(x, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def decode(x: str) -> Any:
    """Read a JSON document; keys keep their order, integers stay exact."""
    if not isinstance(x, str):
        raise TypeError("json.decode: the source must be a string")
    try:
        return json.loads(x, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("json.decode: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"json.decode: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def indent(text: str, prefix: str, step: str) -> str:
    """Lay a JSON document out in lines, as Go's json.Indent does; numbers and strings stay as written."""
    decode(text)
    out: list[str] = []
    depth = 0
    before = ""
    for symbol in _TOKEN.findall(text):
        if symbol in "}]":
            depth -= 1
            if before not in "{[":
                out.append("\n" + prefix + step * depth)
        elif before and before in "{[,":
            out.append("\n" + prefix + step * depth)
        out.append(": " if symbol == ":" else symbol)
        if symbol in "{[":
            depth += 1
        before = symbol
    return "".join(out)
