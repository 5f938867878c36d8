"""`builtin:///math`, with results as Go's math package gives them (contract, section 3; pkg.go.dev/math).

Python raises where Go answers with an infinity or NaN. The interpreter's bridge loses those, so they pass it as text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Number = int | float

_INF = math.inf
_NAN = math.nan


def _pow(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (ValueError, OverflowError):
        odd = y.is_integer() and y % 2 == 1
        if x < 0 and not y.is_integer():
            return _NAN
        return math.copysign(_INF, x) if odd else _INF


def _round(x: float) -> float:
    if not math.isfinite(x):
        return x
    whole = math.trunc(x)
    away = 1 if abs(x - whole) >= 0.5 else 0
    return math.copysign(abs(whole) + away, x)


def _log(x: float, base: float) -> float:
    if base == 1:
        raise ValueError("division by zero")
    return _natural_log(x) / divisor if (divisor := _natural_log(base)) else _NAN


def _natural_log(x: float) -> float:
    return -_INF if x == 0 else math.log(x) if x > 0 else _NAN


def _gamma(x: float) -> float:
    return math.copysign(_INF, x) if x == 0 else math.gamma(x)


_ONE: Mapping[str, Callable[[float], float]] = {
    "fabs": math.fabs,
    "round": _round,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "cos": math.cos,
    "sin": math.sin,
    "tan": math.tan,
    "degrees": lambda x: 360 * x / (2 * math.pi),
    "radians": lambda x: 2 * math.pi * x / 360,
    "acosh": math.acosh,
    "asinh": math.asinh,
    "atanh": lambda x: math.copysign(_INF, x) if abs(x) == 1 else math.atanh(x),
    "cosh": math.cosh,
    "sinh": math.sinh,
    "tanh": math.tanh,
    "gamma": _gamma,
}
_TWO: Mapping[str, Callable[[float, float], float]] = {
    "copysign": math.copysign,
    "mod": math.fmod,
    "pow": _pow,
    "remainder": math.remainder,
    "atan2": math.atan2,
    "hypot": math.hypot,
    "log": _log,
}
_WHOLE: Mapping[str, Callable[[float], int]] = {"ceil": math.ceil, "floor": math.floor}
_ODD_AT_INFINITY = frozenset({"sinh"})


def calculate(name: str, *numbers: Any) -> Number | str:
    """Apply a function to numbers; infinities and NaN pass as `["+inf"]` on the way in and as text on the way out."""
    values = [_number(name, number) for number in numbers]
    if name in _WHOLE:
        return _whole(name, values[0])
    try:
        floats = [float(value) for value in values]
    except OverflowError:
        raise ValueError(f"{name}: the integer is too large for a float") from None
    try:
        result = _TWO[name](*floats) if name in _TWO else _ONE[name](*floats)
    except OverflowError:
        result = -_INF if name in _ODD_AT_INFINITY and floats[0] < 0 else _INF
    except ValueError as error:
        if name == "log":
            raise ValueError(f"{name}: {error}") from None
        result = _NAN
    return result if math.isfinite(result) else f"{result:+}".replace("+nan", "nan")


def _whole(name: str, value: Number) -> int:
    if isinstance(value, int):
        return value
    if not math.isfinite(value):
        raise ValueError(f"{name}: {value} is no integer")
    return _WHOLE[name](value)


def _number(name: str, value: Any) -> Number:
    if isinstance(value, list) and len(value) == 1 and value[0] in {"+inf", "-inf", "nan"}:
        return float(value[0])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: got {_TYPES.get(type(value), type(value).__name__)}, want float or int")
    return value


_TYPES = {str: "string", type(None): "NoneType"}


def _source() -> str:
    """Write the module: one function a name, with the parameter names of starlark-go."""
    lines = [
        f"e = {math.e!r}",
        f"pi = {math.pi!r}",
        "def _in(x):",
        '    return [str(x)] if type(x) == "float" and str(x) in ["+inf", "-inf", "nan"] else x',
        "def _out(x):",
        '    return float(x) if type(x) == "string" else x',
    ]
    for name in [*_WHOLE, *_ONE]:
        lines += [f"def {name}(x):", f'    return _out(_calculate("{name}", _in(x)))']
    for name in _TWO:
        second = {"log": "base = e", "atan2": "x", "hypot": "y"}.get(name, "y")
        first, other = ("y", "x") if name == "atan2" else ("x", second.partition(" ")[0])
        lines += [
            f"def {name}({first}, {second}):",
            f'    return _out(_calculate("{name}", _in({first}), _in({other})))',
        ]
    return "\n".join(lines) + "\n"


SOURCE = _source()
