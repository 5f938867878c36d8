"""One module a row: its name with dashes is the row's, its docstring the summary, `measure(folder)` gives figures.

A row whose figures do not depend on what else runs says `TIMED = False`; those are measured together, at the end.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bench.figure import Figure


@dataclass(frozen=True, slots=True)
class Row:
    """A row; `measure` takes an empty folder of its own."""

    name: str
    summary: str
    measure: Callable[[Path], Awaitable[list[Figure]]]
    timed: bool


def all_rows() -> dict[str, Row]:
    """Find the rows, by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        row = importlib.import_module(f"{__name__}.{module.name}")
        name = module.name.replace("_", "-")
        found[name] = Row(
            name,
            (row.__doc__ or "").strip().splitlines()[0].rstrip("."),
            row.measure,
            getattr(row, "TIMED", True),
        )
    return found
