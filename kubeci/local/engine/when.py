"""The language of `when`: govaluate's expressions, in which Argo reads unquoted words as strings.

or    := and ('||' and)*            compare := sum (('==' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~' | 'in') sum)*
and   := compare ('&&' compare)*    sum     := product (('+' | '-') product)*
unary := ('!' | '-')* atom          product := unary (('*' | '/' | '%') unary)*
atom  := number | string | word | 'true' | 'false' | '(' or (',' or)* ')'
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import re2

from kubeci.local.engine.when_tokens import ExpressionError, Kind, Token, tokenize

__all__ = ["ExpressionError", "WhenError", "should_execute"]

Value: TypeAlias = "str | float | bool | tuple[Value, ...]"

DEPTH_LIMIT = 64
_ORDERINGS: Final[Mapping[str, Callable[[Any, Any], object]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Final[Mapping[str, Callable[[float, float], float]]] = {
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


class WhenError(Exception):
    """A `when` that Argo cannot decide; the text is the controller's message."""


def should_execute(when: str) -> bool:
    """Decide a `when` whose variables are replaced already; an empty one is true.

    Raises `WhenError` with the message that Argo's controller gives (its spelling included).
    """
    if not when:
        return True
    try:
        tokens = tokenize(when)
    except ExpressionError as error:
        hint = (
            ' (hint: try wrapping the affected expression in quotes ("))'
            if "Invalid token" in str(error)
            else ""
        )
        raise WhenError(f"Invalid 'when' expression '{when}': {error}{hint}") from error
    try:
        value = _Evaluator(tokens).run()
    except _SyntaxError as error:
        raise WhenError(f"Invalid 'when' expression '{when}': {error}") from error
    except ExpressionError as error:
        raise WhenError(f"Failed to evaluate 'when' expresion '{when}': {error}") from error
    if not isinstance(value, bool):
        raise WhenError(f"Expected boolean evaluation for '{when}'. Got {_shown(value)}")
    return value


class _SyntaxError(ExpressionError):
    """The tokens are fine, their order is not."""


class _Evaluator:
    """Evaluates by recursive descent; `skipping` parses a side that a logical operator does not need."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._skipping = 0

    def run(self) -> Value:
        """Evaluate all tokens."""
        value = self._either()
        if self._at < len(self._tokens):
            raise _SyntaxError(f"Unexpected token '{self._tokens[self._at].text}'")
        return value

    def _take(self, *operators: str) -> str:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind is Kind.OPERATOR and token.text in operators:
                self._at += 1
                return token.text
        return ""

    def _either(self) -> Value:
        value = self._both()
        while self._take("||"):
            value = self._logical("||", value, decided=value is True, other=self._both)
        return value

    def _both(self) -> Value:
        value = self._comparison()
        while self._take("&&"):
            value = self._logical("&&", value, decided=value is False, other=self._comparison)
        return value

    def _logical(self, name: str, left: Value, *, decided: bool, other: Callable[[], Value]) -> Value:
        self._skipping += decided
        right = other()
        self._skipping -= decided
        if self._skipping or decided:
            return left
        for side in (left, right):
            if not isinstance(side, bool):
                raise ExpressionError(
                    f"Value '{_shown(side)}' cannot be used with the logical operator '{name}', it is not a bool"
                )
        return right

    def _comparison(self) -> Value:
        value = self._sum()
        while name := self._take("==", "!=", "<", "<=", ">", ">=", "=~", "!~", "in"):
            right = self._sum()
            value = False if self._skipping else _compare(name, value, right)
        return value

    def _sum(self) -> Value:
        value = self._product()
        while name := self._take("+", "-"):
            right = self._product()
            if self._skipping:
                continue
            if name == "+" and (isinstance(value, str) or isinstance(right, str)):
                value = _shown(value) + _shown(right)
            elif name == "+":
                value = _number(name, value) + _number(name, right)
            else:
                value = _arithmetic(name, value, right)
        return value

    def _product(self) -> Value:
        value = self._unary()
        while name := self._take("*", "/", "%"):
            right = self._unary()
            value = 0.0 if self._skipping else _arithmetic(name, value, right)
        return value

    def _unary(self) -> Value:
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise _SyntaxError(f"nested deeper than {DEPTH_LIMIT}")
        try:
            if self._take("!"):
                value = self._unary()
                if not isinstance(value, bool) and not self._skipping:
                    raise ExpressionError(
                        f"Value '{_shown(value)}' cannot be used with the prefix '!', it is not a bool"
                    )
                return not value
            if self._take("-"):
                value = self._unary()
                return 0.0 if self._skipping else -_number("-", value)
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Value:
        if self._take("("):
            values = [self._either()]
            while self._take(","):
                values.append(self._either())
            if not self._take(")"):
                raise _SyntaxError("Unbalanced parenthesis")
            return values[0] if len(values) == 1 else tuple(values)
        if self._at >= len(self._tokens):
            raise _SyntaxError("Unexpected end of expression")
        token = self._tokens[self._at]
        self._at += 1
        if token.kind is Kind.OPERATOR:
            raise _SyntaxError(f"Unexpected token '{token.text}'")
        return token.value


def _compare(name: str, left: Value, right: Value) -> bool:
    if name in {"==", "!="}:
        return (type(left) is type(right) and left == right) == (name == "==")
    if name == "in":
        return isinstance(right, tuple) and any(type(left) is type(one) and left == one for one in right)
    if name in {"=~", "!~"}:
        return _matches(name, left, right) == (name == "=~")
    if isinstance(left, str) and isinstance(right, str):
        return bool(_ORDERINGS[name](left, right))
    for side in (left, right):
        if isinstance(side, bool) or not isinstance(side, float):
            raise ExpressionError(
                f"Value '{_shown(side)}' cannot be used with the comparator '{name}', it is not a number"
            )
    return bool(_ORDERINGS[name](left, right))


def _matches(name: str, left: Value, right: Value) -> bool:
    for side in (left, right):
        if not isinstance(side, str):
            raise ExpressionError(
                f"Value '{_shown(side)}' cannot be used with the comparator '{name}', it is not a string"
            )
    try:
        return re2.search(right, left) is not None
    except re2.error as error:
        raise ExpressionError(f"Unable to compile regexp pattern '{_shown(right)}'") from error


def _arithmetic(name: str, left: Value, right: Value) -> float:
    a, b = _number(name, left), _number(name, right)
    if b == 0 and name in {"/", "%"}:
        raise ExpressionError("division by zero")
    return _ARITHMETIC[name](a, b)


def _number(name: str, value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, float):
        raise ExpressionError(
            f"Value '{_shown(value)}' cannot be used with the modifier '{name}', it is not a number"
        )
    return value


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + " ".join(_shown(one) for one in value) + "]"
    return f"{value:g}" if isinstance(value, float) else value
