"""Read a settings file's YAML as Go reads it: what a setting takes as text is text, however it is written.

A plain `true`, `5` or `on` is a boolean or a number to YAML. Where text is wanted, Go takes its letters, and so do old
settings files: `nodeSelector: {spot: true}`.
"""

from __future__ import annotations

import difflib
import types
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin

import msgspec
import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kubeci.errors import ConfigurationError
from kubeci.settings.pattern import Pattern

NULL = "tag:yaml.org,2002:null"


def read_document(text: str, shape: type[Struct], source: str) -> Any:
    """Read one YAML document as settings of a shape; None: it is empty. `source` names it in errors.

    Raises `ConfigurationError` for what is no YAML, and for a key that is given twice.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            return None if node is None else _Reader(loader, source).read(node, shape)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{source} is nested too deeply, or holds itself") from error


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, source: str) -> None:
        self._loader = loader
        self._source = source

    def read(self, node: Node, shape: Any, where: str = "") -> Any:
        shape = _plain(shape)
        if isinstance(node, MappingNode):
            return self._mapping(node, shape, where)
        if isinstance(node, SequenceNode) and get_origin(shape) is tuple:
            inner = get_args(shape)[0]
            return [self.read(each, inner, f"{where}[{number}]") for number, each in enumerate(node.value)]
        if isinstance(node, ScalarNode) and _is_text(shape) and node.tag != NULL:
            return self._word(node, shape, where)
        return self._loader.construct_object(node, deep=True)

    def _mapping(self, node: MappingNode, shape: Any, where: str) -> Any:
        fields: dict[str, Any] | None = None
        if isinstance(shape, type) and issubclass(shape, Struct):
            fields = {each.encode_name: each.type for each in msgspec.structs.fields(shape)}
        elif get_origin(shape) is not dict or get_args(shape)[1] is Any:
            return self._loader.construct_object(node, deep=True)
        self._loader.flatten_mapping(node)
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if fields is not None else self._word(key, get_args(shape)[0], where)
            if name in found and fields is not None:
                raise ConfigurationError(f"{self._at(key)}: `{name}` is there twice")
            inner = fields.get(name, Any) if fields is not None else get_args(shape)[1]
            found[name] = self.read(value, inner, f"{where}.{name}" if where else name)
        return found

    def _word(self, node: Node, shape: Any, where: str) -> str:
        """Take a scalar as text; where only some words may stand, it must be one of them."""
        text = str(node.value)
        if isinstance(shape, type) and issubclass(shape, StrEnum) and text not in list(shape):
            near = difflib.get_close_matches(text, list(shape), n=1)
            hint = (
                f"did you mean `{near[0]}`?" if near else f"one of {', '.join(f'`{each}`' for each in shape)}"
            )
            raise ConfigurationError(f"{self._at(node)}: `{where}`: `{text[:100]}` is not known; {hint}")
        return text

    def _at(self, node: Node) -> str:
        return f"{self._source}:{node.start_mark.line + 1}"


def _plain(shape: Any) -> Any:
    """Give what an optional or annotated type is about; of other unions nothing is known."""
    if get_origin(shape) is Annotated:
        return _plain(get_args(shape)[0])
    if isinstance(shape, types.UnionType):
        choices = [each for each in get_args(shape) if each is not types.NoneType]
        return _plain(choices[0]) if len(choices) == 1 else Any
    return shape


def _is_text(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, str | Pattern | StrEnum)
