"""The words of a `when` expression, cut as govaluate cuts them."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

LENGTH_LIMIT = 10_000
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9]+(\.[0-9]*)?|\.[0-9]+")
_WORD = re.compile(r"[^\W\d_][\w.]*")
_SYMBOLS = re.compile(r"[^\w\s'\"()\[\],]+|[(),]")
_OPERATORS = frozenset(
    {"==", "!=", "<", "<=", ">", ">=", "=~", "!~", "&&", "||", "!", "-", "+", "*", "/", "%", "(", ")", ","}
)


class ExpressionError(Exception):
    """The expression cannot be read or evaluated; the text says why in govaluate's words."""


class Kind(enum.Enum):
    """What a token is."""

    OPERATOR = enum.auto()
    VALUE = enum.auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression: `text` as written, `value` for values."""

    kind: Kind
    text: str
    value: str | float | bool = ""


def tokenize(text: str) -> list[Token]:
    """Cut `text` into tokens; raises `ExpressionError` for what govaluate cannot read."""
    if len(text) > LENGTH_LIMIT:
        raise ExpressionError(f"longer than {LENGTH_LIMIT} characters")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, at = _next(text, at)
        tokens.extend(token)
    return tokens


def _next(text: str, at: int) -> tuple[list[Token], int]:
    if text[at] in "'\"":
        return _quoted(text, at)
    if text[at] == "[":
        end = text.find("]", at)
        if end < 0:
            raise ExpressionError("Unclosed parameter bracket")
        name = text[at + 1 : end]
        return [Token(Kind.VALUE, name, name)], end + 1
    if found := _NUMBER.match(text, at):
        number = found.group()
        value = float(int(number, 16)) if number.startswith("0x") else float(number)
        return [Token(Kind.VALUE, number, value)], found.end()
    if found := _WORD.match(text, at):
        return [_word(found.group())], found.end()
    if found := _SYMBOLS.match(text, at):
        return _operators(found.group()), found.end()
    raise ExpressionError(f"Invalid token: '{text[at]}'")


def _quoted(text: str, at: int) -> tuple[list[Token], int]:
    quote, letters = text[at], []
    at += 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        letters.append(text[at])
        at += 1
    if at >= len(text):
        raise ExpressionError("Unclosed string literal")
    value = "".join(letters)
    return [Token(Kind.VALUE, value, value)], at + 1


def _word(word: str) -> Token:
    if word in {"true", "false"}:
        return Token(Kind.VALUE, word, word == "true")
    if word in {"in", "IN"}:
        return Token(Kind.OPERATOR, "in")
    name, dot, fields = word.partition(".")
    if not dot:
        return Token(Kind.VALUE, word, word)
    if word.endswith("."):
        raise ExpressionError(f"Hanging accessor on token '{word}'")
    for field in fields.split("."):
        if field[:1] != field[:1].upper():
            raise ExpressionError(f"Unable to access unexported field '{field}' in token '{word}'")
    raise ExpressionError(f"No parameter '{name}' found.")


def _operators(run: str) -> list[Token]:
    """Read a run of symbols: one operator, or one with prefixes behind it (`==-`, `&&!`)."""
    prefixes: list[Token] = []
    while run not in _OPERATORS and run[:-1] and run[-1] in "!-":
        prefixes.insert(0, Token(Kind.OPERATOR, run[-1]))
        run = run[:-1]
    if run not in _OPERATORS:
        raise ExpressionError(f"Invalid token: '{run}'")
    return [Token(Kind.OPERATOR, run), *prefixes]
