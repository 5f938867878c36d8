"""The figures as a table: a scenario a column."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from chaos.figure import Figure

WIDTH = 140  # also where the output is no terminal


def show(machine: Mapping[str, str | int], figures: Mapping[str, Sequence[Figure]]) -> None:
    """Print the table; what must be zero and is not stands out, also without colours."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("what")
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    rows = dict.fromkeys(figure.what for each in figures.values() for figure in each)
    for what in rows:
        cells = [next((_written(one) for one in each if one.what == what), "") for each in figures.values()]
        table.add_row(what, *cells)
    console.print(table)


def _written(figure: Figure) -> str:
    value = figure.value
    text = f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
    text = f"{text} {figure.unit}".strip()
    return f"[bold red]! {text}[/]" if figure.wrong else text
