"""What loading the CI files of a commit brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kubeci.errors import DefinitionError, Location
from kubeci.model.json import JsonObject
from kubeci.model.module import Loaded


class EvaluationFailed(DefinitionError):
    """The evaluation of a definition ended in an error; `prints` is what it had printed until then."""

    def __init__(
        self, message: str, *, where: Location, hint: str = "", prints: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.prints = prints


@dataclass(frozen=True, slots=True)
class Definition:
    """One Argo Workflow as its author wrote it, before canonical form, naming and decoration.

    `path` is the file it came from, relative to the CI folder. `prints` are the lines that Starlark printed,
    `ci.star:3: text`, bounded. `positions` maps JSON pointers to (line, column) of where a field's key or a list's
    item stands in the YAML; empty for Starlark. `loaded` lists what was read from elsewhere for it, in order.
    """

    manifest: JsonObject
    path: str
    prints: tuple[str, ...] = ()
    positions: Mapping[str, tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))
    loaded: tuple[Loaded, ...] = ()
