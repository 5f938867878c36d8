"""`kubeci render`: the workflow that would be submitted for a working tree; no server is needed."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
import yaml

from kubeci.cli.working_tree import describe
from kubeci.definition.context import read_context
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import ConfigurationError, DefinitionError
from kubeci.model.build import BuildRequest
from kubeci.model.json import JsonObject
from kubeci.service.prepare import Prepared, Tools, has_definition, prepare, render
from kubeci.settings.config import Config, load_config


@click.command(name="render", context_settings={"max_content_width": 110})
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--ref", metavar="REF", help="Branch, or tag as refs/tags/NAME; default: what is checked out.")
@click.option(
    "--entrypoint", metavar="TEMPLATE", default="", help="Template to start; default: the definition's own."
)
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", help="Default: yaml.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The server's settings file.",
)
def command(path: Path, ref: str | None, entrypoint: str, output: str, config: Path | None) -> None:
    """Print the workflow that would be submitted for the working tree at PATH.

    What the definition prints, and warnings, go to stderr. Exit status 1: the definition is wrong.

    \b
    Examples:
      kubeci render
      kubeci render ~/src/widgets --ref refs/tags/v1.0 -o json
      kubeci render --entrypoint deploy | kubectl create --dry-run=server -f -
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    settings = (
        load_config(config.read_text(encoding="utf-8"), source=str(config)).config if config else Config()
    )
    request = describe(path, ref, entrypoint)
    try:
        prepared = asyncio.run(_prepared(path, request, settings))
        workflow = render(prepared, settings) if prepared else None
    except DefinitionError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if prepared is None or workflow is None:
        click.echo("the definition says that there is nothing to run (workflow = None)", err=True)
        return
    for line in (*prepared.build.prints, *(f"warning: {text}" for text in prepared.build.warnings)):
        click.echo(line, err=True)
    click.echo(_written(workflow, output), nl=False)


async def _prepared(path: Path, request: BuildRequest, config: Config) -> Prepared | None:
    source = read_context(path / config.ci_context_path)
    if not has_definition(source, config):
        names = f"{config.ci_starlark_file} or {config.ci_yaml_file}"
        raise ConfigurationError(
            f"{path / config.ci_context_path} holds no {names}: there is nothing to render"
        )
    async with Sandbox() as sandbox:
        return await prepare(request, source, Tools(sandbox, config), datetime.now(UTC))


def _written(workflow: JsonObject, output: str) -> str:
    if output == "json":
        return msgspec.json.format(msgspec.json.encode(workflow), indent=2).decode() + "\n"
    return yaml.safe_dump(workflow, sort_keys=False, allow_unicode=True, width=110)
