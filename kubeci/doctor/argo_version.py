"""Argo's version, guessed by the fields that its CRDs name: nothing else in the cluster tells it to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubeci.model.json import JsonObject

ITEMS = "[]"
NEWER: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("3.5", "podGC.deleteDelayDuration", ("spec", "podGC", "deleteDelayDuration")),
    ("3.6", "synchronization.mutexes", ("spec", "synchronization", "mutexes")),
    ("3.7", "annotations of templates", ("spec", "templates", ITEMS, "annotations")),
    ("4.0", "artifact plugins", ("spec", "arguments", "artifacts", ITEMS, "plugin")),
)
"""Each version with a field that it brought, in words and as a path in a Workflow (Argo's CRDs of 3.4.17 to 4.1.4)."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A version, and the first field of a later one that is not there; `lacks` is empty for the newest we know."""

    name: str
    lacks: str = ""


def guess(schema: JsonObject) -> Guess | None:
    """Guess Argo's version by the schema of a Workflow; None: it names no fields, as the minimal CRDs'."""
    if not _at(schema, ("spec",)).get("properties"):
        return None
    name = "3.4 or older"
    for version, words, path in NEWER:
        if not _at(schema, path):
            return Guess(name, f"{words} ({version})")
        name = version
    return Guess(f"{name} or newer")


def _at(schema: JsonObject, path: tuple[str, ...]) -> JsonObject:
    found: Any = schema
    for step in path:
        inner = found.get("items") if step == ITEMS else (found.get("properties") or {}).get(step)
        if not isinstance(inner, dict):
            return {}
        found = inner
    return dict(found)
