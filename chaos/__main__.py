"""The command line: `python -m chaos`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import structlog

from bench.figure import machine
from chaos import table
from chaos.figure import Figure, Outcome
from chaos.scenarios import SCENARIOS, Scenario
from chaos.setting import Setting

SCENARIO_SECONDS = 1260.0
SHORT_SECONDS = 420.0


@click.command(
    epilog="\b\nScenarios:\n" + "\n".join(f"  {each.name:<16}{each.summary}" for each in SCENARIOS),
    context_settings={"max_content_width": 110},
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--only", multiple=True, metavar="NAME", help="The same as NAME.")
@click.option("--short", is_flag=True, help="Fewer builds, side by side, in a few minutes.")
@click.option("--seed", type=int, help="Choose as an earlier run did.")
def main(names: tuple[str, ...], only: tuple[str, ...], seed: int | None, *, short: bool) -> None:
    """Do harm to the real server and count what it loses or doubles; all of it stays on loopback.

    Exit status 1: something that must be zero is not.
    """
    known = {each.name: each for each in SCENARIOS}
    wanted = [*names, *only] or [each.name for each in SCENARIOS if each.in_short or not short]
    if unknown := [name for name in wanted if name not in known]:
        raise click.UsageError(f"no scenario is named {unknown[0]!r}; there are: {', '.join(known)}")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable()
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    header = {**machine(), "seed": seed}
    click.echo(f"seed {seed}", err=True)
    began = time.monotonic()
    chosen = [known[name] for name in dict.fromkeys(wanted)]
    try:
        outcomes = asyncio.run(_all(chosen, seed, short=short))
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)
    table.show(header, {name: outcome.figures for name, outcome in outcomes.items()})
    click.echo(f"{time.monotonic() - began:.0f} s in all", err=True)
    sys.exit(any(figure.wrong for outcome in outcomes.values() for figure in outcome.figures))


async def _all(chosen: Sequence[Scenario], seed: int, *, short: bool) -> dict[str, Outcome]:
    """Run the scenarios one after the other; in the short form together, since each waits most of its time."""
    task = asyncio.current_task()
    assert task
    # As Ctrl-C does: servers and databases that were started must not outlive the harness.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    if short:
        found = await asyncio.gather(*(_run(each, seed, short=True) for each in chosen))
    else:
        found = [await _run(each, seed, short=False) for each in chosen]
    return {each.name: outcome for each, outcome in zip(chosen, found, strict=True)}


async def _run(scenario: Scenario, seed: int, *, short: bool) -> Outcome:
    folder = Path(tempfile.mkdtemp(prefix=f"kubeci-chaos-{scenario.name}-"))

    def tell(line: str) -> None:
        click.echo(f"{scenario.name}: {line}", err=True)

    tell(scenario.summary)
    try:
        async with asyncio.timeout(SHORT_SECONDS if short else SCENARIO_SECONDS):
            outcome = await scenario.run(Setting(folder, seed, short, tell))
    except Exception as error:  # noqa: BLE001 - the other scenarios are still worth running
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        trouble = f"it broke off: {type(first).__name__}: {first}"
        outcome = Outcome([Figure("broken off", 1, zero=True)], trouble)
    if outcome.trouble:
        click.echo(f"{outcome.trouble}\n{scenario.name}: everything is kept in {folder}", err=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


main()
