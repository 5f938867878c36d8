"""`kubeci render`: the workflow that would be submitted for a working tree; no server is needed."""

from __future__ import annotations

import asyncio
import sys

import click
import msgspec
import yaml

from kubeci.cli.preparation import Invocation, tree_options
from kubeci.errors import DefinitionError
from kubeci.model.json import JsonObject
from kubeci.report.plain import plain
from kubeci.service.prepare import render


@click.command(name="render", context_settings={"max_content_width": 110})
@tree_options
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
def command(invocation: Invocation, *, output: str) -> None:
    """Print the workflow that would be submitted for the working tree at PATH.

    What the definition prints, and warnings, go to stderr. Exit status 1: the definition is wrong.

    \b
    Examples:
      kubeci render
      kubeci render ~/src/widgets --ref refs/tags/v1.0 -o json
      kubeci render --event push.json
      kubeci render --entrypoint deploy | kubectl create --dry-run=server -f -
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    try:
        prepared = asyncio.run(invocation.prepare(invocation.source(), invocation.config))
        workflow = render(prepared, invocation.config) if prepared else None
    except DefinitionError as error:
        click.echo(plain(str(error)), err=True)
        sys.exit(1)
    if prepared is None or workflow is None:
        click.echo("the definition says that there is nothing to run (workflow = None)", err=True)
        return
    for line in (*prepared.build.prints, *(f"warning: {text}" for text in prepared.build.warnings)):
        click.echo(plain(line), err=True)
    click.echo(_written(workflow, output), nl=False)


def _written(workflow: JsonObject, output: str) -> str:
    if output == "json":
        return msgspec.json.format(msgspec.json.encode(workflow), indent=2).decode() + "\n"
    return yaml.safe_dump(workflow, sort_keys=False, allow_unicode=True, width=110)
