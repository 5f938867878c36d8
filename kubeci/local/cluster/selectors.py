"""Label and field selectors: parsed from a query as the API server parses them, then asked of an object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeci.local.cluster.status import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"\s*(==|=|!=|!|,|\(|\)|<|>|[^\s=!,()<>]+)")
_FIELDS = ("metadata.name", "metadata.namespace")
_IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term: `key` with its allowed values; `negative` turns the answer round, no `values` asks for presence."""

    key: str
    values: frozenset[str] | None
    negative: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether labels fulfil the term; an absent label fulfils the negative ones."""
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


def selector(labels: str = "", fields: str = "") -> Selector:
    """Parse `labelSelector` and `fieldSelector` of a query; raises ApiError 400 for what cannot be parsed."""
    return Selector(tuple(_Parser(labels).terms()), _fields(fields))


def _fields(text: str) -> tuple[Requirement, ...]:
    terms = []
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"([^=!]*)(==|=|!=)(.*)", part)
        if not match:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        key, operator, value = match.groups()
        if key not in _FIELDS:
            raise bad_request(f"field label not supported: {key}")
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
            return Requirement(self._identifier(), None, negative=True)
        key = self._identifier()
        if self._peek() in {"", ","}:
            return Requirement(key, None)
        operator = self._next()
        if operator in {"in", "notin"}:
            return Requirement(key, self._set(), operator == "notin")
        if operator in {"=", "==", "!="}:
            return Requirement(key, frozenset([self._value()]), operator == "!=")
        raise _unparsable(operator, "in, notin, =, ==, !=, gt, lt")

    def _identifier(self) -> str:
        token = self._next()
        if not token or not re.match(r"[\w./-]", token):
            raise _unparsable(token, _IDENTIFIER)
        return token

    def _value(self) -> str:
        # "a=" and "a=,b" ask for the empty value
        return "" if self._peek() in {"", ","} else self._identifier()

    def _set(self) -> frozenset[str]:
        if (opening := self._next()) != "(":
            raise _unparsable(opening, "'('")
        values = set()
        while True:
            values.add("" if self._peek() in {",", ")"} else self._identifier())
            after = self._next()
            if after == ")":
                return frozenset(values)
            if after != ",":
                raise _unparsable(after, "',' or ')'")

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _next(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""


def _unparsable(
    found: str, expected: str, *, prefix: str = "unable to parse requirement: found"
) -> Exception:
    return bad_request(f"{prefix} '{found}', expected: {expected}")
