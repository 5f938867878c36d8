"""`kubeci explain`: why something was built, why it was not, and where it is now."""

from __future__ import annotations

import asyncio
import logging
import re

import click

from kubeci.cli.options import Invocation, server_options
from kubeci.cli.stored import columns, examined, show, show_json, stored, wrapped
from kubeci.cli.story import Ambiguous, story_of
from kubeci.cli.story_text import Page, ambiguous, document, text
from kubeci.errors import ConfigurationError
from kubeci.report.plain import plain
from kubeci.telemetry import configure_logging

LEAST_CHARACTERS = 4


@click.command(name="explain", context_settings={"max_content_width": 110, "show_default": True})
@click.argument("of", metavar="DELIVERY|SHA|BUILD")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@server_options
def command(invocation: Invocation, *, of: str, as_json: bool) -> None:
    """Tell why a build was started, why it was not, and where it is now.

    For a delivery: each attempt, step by step (what was decided and why, what was evaluated, whom it called, what it
    reported), and its build. For a commit: all deliveries and builds that are about it. The beginning of an id or of a
    sha is enough. A build is found by its id too, by its workflow (NAME or NAMESPACE/NAME) and by its check-run. Takes the options of `kubeci serve`, of which it needs only those that name the store.

    \b
    Exit status:
      0  it was found
      1  nothing of the kind is in the store, or several are
      2  the command was not understood, or the store is not there

    \b
    Examples:
      kubeci explain 72d3162e
      kubeci explain 3f2a1bc
      kubeci explain argo/widgets.main.xi9vckfkv
      kubeci explain 3f2a1bc --json
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    configure_logging("console", level=logging.CRITICAL)
    raise SystemExit(asyncio.run(_explain(invocation, of, as_json=as_json)))


def beginning_of(asked: str) -> str:
    """Give what an id or a sha begins with, as it is stored; raises `ConfigurationError` for what is neither."""
    asked = asked.strip().lower() if re.fullmatch(r"\s*[0-9a-fA-F]+\s*", asked) else asked.strip()
    if len(asked) < LEAST_CHARACTERS or not asked.isprintable():
        raise ConfigurationError(
            f"{plain(asked)!r} is too short: write {LEAST_CHARACTERS} characters or more of a delivery's id"
            " (`kubeci events` lists them), of a commit's sha or of a build's id"
        )
    return asked


async def _explain(invocation: Invocation, of: str, *, as_json: bool) -> int:
    beginning = beginning_of(of)
    async with stored(examined(invocation)) as store:
        found = await story_of(beginning, store)
        page = Page(columns(), store.fit)
        if found is None:
            click.echo(unknown(beginning), err=True)
        elif isinstance(found, Ambiguous):
            click.echo(ambiguous(found, beginning, page), err=True)
        elif as_json:
            show_json(document(found), store.redaction)
        else:
            show(text(found, page))
    return 0 if found is not None and not isinstance(found, Ambiguous) else 1


def unknown(beginning: str) -> str:
    """Say that nothing of this id or sha is known, and why that may be."""
    told = (
        f"No delivery, commit or build begins with {plain(beginning)}, and no workflow or check-run is called so. It may be older than the setting `retention`, never"
        " have reached the server (`kubeci doctor`, and the App's page on GitHub under Advanced), or be of another"
        " server's store."
    )
    return "\n".join(wrapped(told, columns() - 1, indent=0))
