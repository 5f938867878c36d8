"""What a watch of a collection of the cluster's objects brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kubeci.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects there are; those that were seen before and are not among them are gone."""

    objects: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """An object was added or modified."""

    object: JsonObject


@dataclass(frozen=True, slots=True)
class Gone:
    """An object was deleted, or left the selector; this is its last state."""

    object: JsonObject


Change: TypeAlias = Listed | Changed | Gone
