"""Argo's simple template tags: `{{name}}` replaced everywhere in a manifest.

Expression tags (`{{=...}}`) are refused before a workflow starts, see `refuse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
SIZE_LIMIT = 4 * 1024 * 1024

T = TypeVar("T")


# What Argo's own variables begin with; other tags are none of its business, and stay.
_PREFIXES = ("inputs.", "outputs.", "item.", "workflow.", "steps.", "tasks.", "pod.", "node.", "lastRetry.")


class Unresolved(Exception):
    """A tag names nothing that is known here; the text is the controller's message."""


def substitute(value: T, scope: Mapping[str, str]) -> T:
    """Replace each tag of `value` (any JSON) that `scope` knows; leave the others as they are."""
    replaced: T = _Substitution(scope).apply(value)
    return replaced


def is_variable(tag: str) -> bool:
    """Say whether a tag is one of Argo's variables."""
    return tag in {"item", "retries"} or tag.startswith(_PREFIXES)


def resolve(value: T, scope: Mapping[str, str]) -> T:
    """Replace each tag of `value`; raises `Unresolved` naming the first variable that `scope` lacks."""
    replaced = substitute(value, scope)
    for tag in tags(value):
        if tag not in scope and is_variable(tag):
            raise Unresolved(f"failed to resolve {{{{{tag}}}}}")
    return replaced


def tags(value: Any) -> Iterator[str]:
    """Give the names of all tags in any JSON, in order."""
    if isinstance(value, str):
        for found in TAG.finditer(value):
            yield found.group(1).strip()
    elif isinstance(value, dict):
        for one in value.values():
            yield from tags(one)
    elif isinstance(value, list):
        for one in value:
            yield from tags(one)


class _Substitution:
    """One pass over a manifest, bounded in what it may grow to."""

    def __init__(self, scope: Mapping[str, str]) -> None:
        self._scope = scope
        self._room = SIZE_LIMIT

    def apply(self, value: Any) -> Any:
        """Give a copy of `value` with its tags replaced."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {key: self.apply(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.apply(one) for one in value]
        return value

    def _text(self, text: str) -> str:
        if "{{" not in text:
            return text
        replaced = TAG.sub(lambda found: self._scope.get(found.group(1).strip(), found.group()), text)
        self._room -= len(replaced)
        if self._room < 0:
            raise Unresolved(f"the template grows beyond {SIZE_LIMIT} characters")
        return replaced
