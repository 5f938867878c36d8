"""Label and field selectors: parsed from a query as the API server parses them, then asked of an object."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeci.local.cluster.status import bad_request
from kubeci.local.cluster.validation import key_problems, value_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"\s*(==|=|!=|!|,|\(|\)|<|>|[^\s=!,()<>]+)")
_FIELDS = ("metadata.name", "metadata.namespace")
_WORD = re.compile(r"[\w./-]")
_IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term: `key` with its allowed values; `negative` turns the answer round, no `values` asks for presence.

    With `bounds` the label must be a whole number between them, both left out.
    """

    key: str
    values: frozenset[str] | None
    negative: bool = False
    bounds: tuple[float, float] | None = None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether labels fulfil the term; an absent label fulfils the negative ones."""
        if self.bounds is not None:
            number = labels.get(self.key, "")
            return _is_number(number) and self.bounds[0] < int(number) < self.bounds[1]
        if self.values is None:
            return (self.key in labels) is not self.negative
        return (labels.get(self.key) in self.values) is not self.negative


@dataclass(frozen=True, slots=True)
class Selector:
    """What a list or a watch asks for: every label term and every field term must hold."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    def matches(self, namespace: str, name: str, labels: Mapping[str, str]) -> bool:
        """Say whether an object with this name and these labels is asked for."""
        fields = {"metadata.name": name, "metadata.namespace": namespace}
        return all(term.matches(fields) for term in self.fields) and all(
            t.matches(labels) for t in self.labels
        )


EVERYTHING = Selector()


def selector(labels: str = "", fields: str = "", *, custom: bool = True) -> Selector:
    """Parse `labelSelector` and `fieldSelector` of a query; raises ApiError 400 for what cannot be parsed.

    `custom` resources and others are told differently of a field that no selector can ask for.
    """
    return Selector(tuple(_Parser(labels).terms()), _fields(fields, custom=custom))


def _fields(text: str, *, custom: bool) -> tuple[Requirement, ...]:
    terms = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"([^=!]*)(==|=|!=)(.*)", part)
        if not match:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        key, operator, value = match.groups()
        if key not in _FIELDS:
            known = ", ".join(f'"{name}"' for name in _FIELDS)
            raise bad_request(
                f"field label not supported: {key}"
                if custom
                else f'"{key}" is not a known field selector: only {known}'
            )
        terms.append(Requirement(key, frozenset([value]), operator == "!="))
    return tuple(terms)


class _Parser:
    """A label selector's grammar: terms with commas between, each `key`, `!key`, `key op value`, `key [not]in (…)`."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)

    def terms(self) -> list[Requirement]:
        found = []
        while self._tokens:
            found.append(self._term())
            if not self._tokens:
                break
            comma = self._next()
            if comma != ",":
                raise _unparsable(comma, "',' or 'end of string'", prefix="found")
            if not self._tokens:
                raise _unparsable("", f"{_IDENTIFIER} after ','", prefix="found")
        return found

    def _term(self) -> Requirement:
        if self._peek() == "!":
            self._next()
            return Requirement(self._key(), None, negative=True)
        if self._peek() and not _WORD.match(self._peek()):
            raise _unparsable(self._peek(), f"!, {_IDENTIFIER}, or 'end of string'", prefix="found")
        key = self._key()
        if self._peek() in {"", ","}:
            return Requirement(key, None)
        operator = self._next()
        if operator in {"in", "notin"}:
            return Requirement(key, self._set(key), operator == "notin")
        if operator in {"=", "==", "!="}:
            return Requirement(key, frozenset([_checked(key, self._value())]), operator == "!=")
        if operator in {"<", ">"}:
            return Requirement(key, None, bounds=_bounds(operator, self._value()))
        raise _unparsable(operator, "in, notin, =, ==, !=, gt, lt")

    def _identifier(self) -> str:
        token = self._next()
        if not _WORD.match(token):
            raise _unparsable(token, _IDENTIFIER)
        return token

    def _key(self) -> str:
        key = self._identifier()
        if problem := next(key_problems(key), ""):
            raise bad_request(f'unable to parse requirement: <nil>: Invalid value: "{key}": {problem}')
        return key

    def _value(self) -> str:
        # "a=" and "a=,b" ask for the empty value
        return "" if self._peek() in {"", ","} else self._identifier()

    def _set(self, key: str) -> frozenset[str]:
        if (opening := self._next()) != "(":
            raise bad_request(f"unable to parse requirement: found '{opening}' expected: '('")
        values = set()
        while True:
            values.add("" if self._peek() in {",", ")"} else _checked(key, self._identifier()))
            after = self._next()
            if after == ")":
                return frozenset(values)
            if after != ",":
                raise _unparsable(after, "',' or ')'")

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _next(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""


def _checked(key: str, value: str) -> str:
    if problem := value_problem(value):
        raise bad_request(
            f'unable to parse requirement: values[0][{key}]: Invalid value: "{value}": {problem}'
        )
    return value


def _bounds(operator: str, value: str) -> tuple[float, float]:
    if not _is_number(value):
        why = "for 'Gt', 'Lt' operators, the value must be an integer"
        raise bad_request(f'unable to parse requirement: values[0]: Invalid value: "{value}": {why}')
    return (int(value), math.inf) if operator == ">" else (-math.inf, int(value))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,18}", text) is not None


def _unparsable(
    found: str, expected: str, *, prefix: str = "unable to parse requirement: found"
) -> Exception:
    return bad_request(f"{prefix} '{found}', expected: {expected}")
