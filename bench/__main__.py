"""The command line: `python -m bench`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import structlog

from bench import rows, table
from bench.figure import Figure, machine

ROW_SECONDS = 60.0


def _list_rows() -> str:
    return "\n".join(f"  {name:<20} {row.summary}" for name, row in rows.all_rows().items())


class _Command(click.Command):
    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the rows, which are found when they are asked for."""
        formatter.write(f"\nRows:\n{_list_rows()}\n")


@click.command(cls=_Command)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write JSON.")
def main(names: tuple[str, ...], json_file: Path | None) -> None:
    """Measure speed and memory; without a name, every row. All of it stays on loopback.

    Exit status 1: a row could not be measured.
    """
    known = rows.all_rows()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"no row is named {unknown[0]!r}; there are: {', '.join(known)}")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    header, started = machine(), time.perf_counter()
    chosen = [known[name] for name in dict.fromkeys(names or known)]
    measured = asyncio.run(_measure_all(chosen))
    click.echo(f"{time.perf_counter() - started:.0f} s in all", err=True)
    figures = [figure for row in chosen for figure in measured[row.name] or ()]
    table.show(header, figures)
    if json_file:
        json_file.write_bytes(table.as_json(header, measured))
    sys.exit(None in measured.values())


async def _measure_all(chosen: Sequence[rows.Row]) -> dict[str, list[Figure] | None]:
    """Give each row's figures, None when it could not be measured; times are taken alone, counts together."""
    measured = {row.name: await _measure(row) for row in chosen if row.timed}
    counted = [row for row in chosen if not row.timed]
    found = await asyncio.gather(*(_measure(row) for row in counted))
    return measured | {row.name: figures for row, figures in zip(counted, found, strict=True)}


async def _measure(row: rows.Row) -> list[Figure] | None:
    started = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="kubeci-bench-") as folder:
            async with asyncio.timeout(ROW_SECONDS):
                figures = await row.measure(Path(folder))
    except Exception as error:  # noqa: BLE001 - the other rows are still worth measuring
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        click.echo(f"{row.name}: not measured: {type(first).__name__}: {first}", err=True)
        return None
    click.echo(f"{row.name}: {time.perf_counter() - started:.1f} s", err=True)
    return figures


main()
