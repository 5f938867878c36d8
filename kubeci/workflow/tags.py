"""Argo's `{{name}}` tags in a manifest, with the place of each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from kubeci.workflow.faults import Path

_Way: TypeAlias = "tuple[_Way, str | int] | None"


def strings(value: Any, path: Path, without: Collection[str] = ()) -> Iterator[tuple[str, _Lazy]]:
    """Give each string below a value, in order; members of the value itself that are named in `without` are left out."""
    stack: list[tuple[Any, _Way]] = [(value, None)]
    while stack:  # no recursion: how deep a manifest goes is up to its author
        item, way = stack.pop()
        if isinstance(item, str):
            yield item, _Lazy(path, way)
        elif isinstance(item, dict):
            kept = item.items() if way else ((key, each) for key, each in item.items() if key not in without)
            stack += [(each, (way, key)) for key, each in reversed(list(kept))]
        elif isinstance(item, list):
            stack += [(each, (way, at)) for at, each in reversed(list(enumerate(item)))]


class _Lazy:
    """A place below `path` that is written out only when it is asked for."""

    __slots__ = ("_path", "_way")

    def __init__(self, path: Path, way: _Way) -> None:
        self._path = path
        self._way = way

    def path(self) -> Path:
        """Give the whole path."""
        steps: list[str | int] = []
        way = self._way
        while way:
            way, step = way
            steps.append(step)
        return (*self._path, *reversed(steps))


def tags(text: str) -> Iterator[str]:
    """Give the names in a string's tags; expressions (`{{=…}}`) begin with their `=`.

    As Argo reads them: a tag ends at the next `}}`, whatever stands before it.
    """
    end = 0
    while (start := text.find("{{", end)) >= 0:
        end = text.find("}}", start + 2)
        if end < 0:
            return
        yield text[start + 2 : end].strip()
        end += 2
