"""The cache volume of a build: a claim that outlives the workflow."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.model.repository import Repository


@dataclass(frozen=True, slots=True)
class CacheClaim:
    """A persistent volume claim that a build asks for.

    `branch` is the exact branch that it belongs to; empty: the whole repository's. `named`: the author chose the name, so
    that it may be a claim that others made.
    """

    name: str
    scope: str
    repository: Repository
    branch: str
    size: str
    storage_class_name: str = ""
    named: bool = False
