"""The figures as a table for people and as JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

import msgspec
from rich.console import Console
from rich.table import Table

from bench.figure import Figure

WIDTH = 120  # also where the output is no terminal


def show(machine: Mapping[str, str | int], figures: Iterable[Figure]) -> None:
    """Print the table."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    title = ", ".join(f"{name} {value}" for name, value in machine.items())
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    table.add_column("what")
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("how", style="dim")
    for figure in figures:
        table.add_row(figure.what, written(figure), figure.how)
    console.print(table)


def as_json(machine: Mapping[str, str | int], measured: Mapping[str, list[Figure] | None]) -> bytes:
    """Give machine and figures as JSON, the figures by row; null for a row that could not be measured."""
    return msgspec.json.format(msgspec.json.encode({"machine": machine, "rows": measured}), indent=2) + b"\n"


def written(figure: Figure) -> str:
    """Write a figure with three digits that count, and its unit: counts have no fraction."""
    value = figure.value
    text = f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {figure.unit}".strip()
