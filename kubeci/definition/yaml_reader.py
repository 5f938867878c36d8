"""YAML as Go's sigs.k8s.io/yaml reads it, with the place of every value (contract, section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from kubeci.definition.yaml_scalars import Scalar, key_text, resolve
from kubeci.errors import DefinitionError, Location

MAX_DEPTH = 100
MAX_VALUES = 200_000  # after the expansion of aliases

_CORE = "tag:yaml.org,2002:"
_SCALAR_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "null": (type(None),),
}
_Positions: TypeAlias = dict[str, tuple[int, int]]


@dataclass(slots=True)
class _Node:
    """A value as it stands in the text; `size` counts its values, aliases expanded."""

    content: Scalar | list[_Node] | list[tuple[_Node, _Node]]
    line: int
    column: int
    kind: type
    merge: bool = False
    size: int = 1


def read_yaml(text: str, file: str) -> tuple[Any, _Positions]:
    """Read the one document of a YAML text; gives its value and, for each JSON pointer, line and column.

    A member's place is where its key stands. Empty documents do not count; no document is null.
    Plain scalars follow `yaml_scalars`; keys become strings; `<<` merges in document order, so that what comes later
    wins, as go-yaml v2 does. DefinitionError with the place for what is no YAML, several documents, a key given twice,
    tags beyond YAML's core, nesting over 100, over 200,000 values after the expansion of aliases.
    """
    reader = _Reader(text, file)
    root = reader.document()
    positions: _Positions = {}
    return reader.value(root, "", positions) if root else None, positions


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._text = text
        self._anchors: dict[str, _Node | None] = {}
        self._values = 0

    def document(self) -> _Node | None:
        events = self._events()
        found: _Node | None = None
        for event in events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            self._anchors.clear()
            node = self._node(next(events), events, 0)
            if node.content is None:
                continue
            if found:
                raise self._fault("a second document begins here; a definition is one document", event)
            found = node
        return found

    def _events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self._text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = " ".join(part for part in (error.context, error.problem) if part)
            where = Location(self._file, mark.line + 1, mark.column + 1) if mark else Location(self._file)
            raise DefinitionError(f"is no YAML: {message}", where=where) from None
        except yaml.reader.ReaderError as error:
            before = self._text.encode()[: error.position].decode("utf-8", "ignore")
            where = Location(self._file, before.count("\n") + 1, len(before) - before.rfind("\n"))
            raise DefinitionError(f"is no YAML: {error.reason}", where=where) from None

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise self._fault(f"is nested deeper than {MAX_DEPTH}", event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[anchor] = None
        node = (
            self._scalar(event)
            if isinstance(event, yaml.ScalarEvent)
            else self._collection(event, events, depth)
        )
        if anchor:
            self._anchors[anchor] = node
        self._count(1, event)
        return node

    def _alias(self, event: yaml.AliasEvent) -> _Node:
        if event.anchor not in self._anchors:
            raise self._fault(f"the anchor `{event.anchor}` is not defined above", event)
        node = self._anchors[event.anchor]
        if node is None:
            raise self._fault(f"the anchor `{event.anchor}` contains itself", event)
        self._count(node.size, event)
        return node

    def _count(self, values: int, event: yaml.Event) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise self._fault(f"holds more than {MAX_VALUES:,} values, aliases expanded", event)

    def _collection(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> _Node:
        mapping = isinstance(event, yaml.MappingStartEvent)
        tag = getattr(event, "tag", None)
        if tag not in {None, "!", _CORE + ("map" if mapping else "seq")}:
            raise self._fault(f"the tag `{_short(tag)}` is not supported", event)
        node = _Node([], *_place(event), dict if mapping else list)
        items: list[Any] = []
        end = yaml.MappingEndEvent if mapping else yaml.SequenceEndEvent
        while not isinstance(item := next(events), end):
            child = self._node(item, events, depth + 1)
            if mapping:
                value = self._node(next(events), events, depth + 1)
                items.append((child, value))
                node.size += value.size
            else:
                items.append(child)
                node.size += child.size
        node.content = items
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> _Node:
        tag = event.tag
        plain = tag is None and event.implicit[0]
        node = _Node(event.value, *_place(event), str)
        node.merge = event.value == "<<" and (plain or tag == f"{_CORE}merge")
        if node.merge or (tag is None and not plain) or tag in {"!", f"{_CORE}str", f"{_CORE}timestamp"}:
            return node
        try:
            node.content = resolve(event.value)
        except ValueError as error:
            raise self._fault(str(error), event) from None
        if tag is not None:
            fitting = _SCALAR_TYPES.get(tag.removeprefix(_CORE)) if tag.startswith(_CORE) else None
            if fitting is None:
                raise self._fault(f"the tag `{_short(tag)}` is not supported", event)
            if type(node.content) not in fitting:
                raise self._fault(f"`{event.value}` is no `{_short(tag)}`", event)
        return node

    def value(self, node: _Node, pointer: str, positions: _Positions) -> Any:
        positions.setdefault(pointer, (node.line, node.column))
        if node.kind is list:
            return [self.value(item, f"{pointer}/{at}", positions) for at, item in enumerate(_items(node))]
        if node.kind is dict:
            return self._mapping(node, pointer, positions)
        return node.content

    def _mapping(self, node: _Node, pointer: str, positions: _Positions) -> dict[str, Any]:
        members: dict[str, Any] = {}
        written: dict[str, _Node] = {}
        for key, value in _pairs(node):
            if key.merge:
                for merged in self._merged(value):
                    members.update(self._mapping(merged, pointer, positions))
                continue
            name = self._key(key)
            if name in written:
                first = written[name]
                raise self._fault(
                    f"the key `{name}` is given twice, first in line {first.line}, column {first.column}", key
                )
            written[name] = key
            below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            positions[below] = (key.line, key.column)
            members[name] = self.value(value, below, positions)
        return members

    def _merged(self, value: _Node) -> list[_Node]:
        """List the maps of a `<<`, the one that counts least first."""
        maps = [value] if value.kind is dict else _items(value)[::-1] if value.kind is list else []
        if not maps or any(each.kind is not dict for each in maps):
            raise self._fault("`<<` takes a map or a list of maps", value)
        return maps

    def _key(self, key: _Node) -> str:
        content = key.content
        if isinstance(content, str):
            return content
        if content is None or isinstance(content, list):
            raise self._fault("a key must be a string, a number or a boolean", key)
        return key_text(content)

    def _fault(self, message: str, at: yaml.Event | _Node) -> DefinitionError:
        line, column = (at.line, at.column) if isinstance(at, _Node) else _place(at)
        return DefinitionError(message, where=Location(self._file, line, column))


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _items(node: _Node) -> list[Any]:
    return node.content if isinstance(node.content, list) else []


_pairs = _items


def _short(tag: str | None) -> str:
    return f"!!{tag.removeprefix(_CORE)}" if tag and tag.startswith(_CORE) else str(tag)
