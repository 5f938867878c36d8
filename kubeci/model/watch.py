"""What a watch of the cluster's workflows brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kubeci.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Listed:
    """All workflows of ours that exist now; whatever is not among them is gone."""

    objects: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """One workflow as it is now, or as it last was when `deleted`."""

    object: JsonObject
    deleted: bool = False


WatchEvent: TypeAlias = Listed | Changed
