"""What `render` and `lint` share: the options, and the server's own way from a working tree to a workflow."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kubeci.cli.event_file import for_event, pull_requests, read_event
from kubeci.cli.working_tree import describe
from kubeci.definition.context import read_context
from kubeci.definition.sandbox import Sandbox
from kubeci.errors import ConfigurationError
from kubeci.model.build import BuildRequest
from kubeci.model.json import JsonObject
from kubeci.model.source import CommitSource
from kubeci.policy.decide import UNKNOWN_FORK
from kubeci.service.prepare import Prepared, Tools, has_definition, prepare
from kubeci.settings.config import Config, load_config

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Invocation:
    """A working tree and what it is to be built as."""

    path: Path
    config: Config
    ref: str | None
    entrypoint: str
    event: JsonObject | None
    untrusted: bool = False
    """As a commit of a fork, whatever the event says."""

    def source(self) -> CommitSource:
        """Read the CI folder; `ConfigurationError` when it holds no definition."""
        folder = self.path / self.config.ci_context_path
        source = read_context(folder)
        if not has_definition(source, self.config):
            names = f"{self.config.ci_starlark_file} or {self.config.ci_yaml_file}"
            raise ConfigurationError(f"{folder} holds no {names}")
        return replace(source, pull_requests=pull_requests(self.event)) if self.event else source

    def request(self) -> BuildRequest:
        """Say what is to be built: what the event says, else what is checked out; `--ref` wins."""
        request = describe(self.path, self.ref, self.entrypoint)
        if self.event is not None:
            told = for_event(request, self.event)
            request = replace(told, ref=request.ref) if self.ref else told
        if self.untrusted and not request.head_repository:
            request = replace(request, head_repository=UNKNOWN_FORK)
        return request

    async def prepare(self, source: CommitSource, config: Config) -> Prepared | None:
        """Evaluate and check the definition as the server does; raises `DefinitionError`."""
        async with Sandbox() as sandbox:
            return await prepare(self.request(), source, Tools(sandbox, config), datetime.now(UTC))


def tree_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a click command the argument PATH and the options that say what is built, as one `Invocation`."""

    @functools.wraps(function)
    def collected(
        *,
        path: Path,
        ref: str | None,
        entrypoint: str,
        event: Path | None,
        config: Path | None,
        **others: Any,
    ) -> None:
        settings = (
            load_config(config.read_text(encoding="utf-8"), source=str(config)).config if config else Config()
        )
        payload = read_event(event) if event else None
        untrusted = others.pop("untrusted")
        function(Invocation(path, settings, ref, entrypoint, payload, untrusted), **others)

    command: Callable[..., None] = collected
    for decorate in (
        click.option(
            "--untrusted",
            is_flag=True,
            help="As a fork's commit, held to `workflowPolicy.untrusted`.",
        ),
        click.option("--config", type=_FILE, metavar="FILE", help="The server's settings file."),
        click.option(
            "--event",
            type=_FILE,
            metavar="FILE",
            help="A webhook's payload (JSON): its ref, sha, repository, event.",
        ),
        click.option(
            "--entrypoint",
            metavar="TEMPLATE",
            default="",
            help="Template to start; default: the definition's own.",
        ),
        click.option(
            "--ref",
            metavar="REF",
            help="Branch, or tag as refs/tags/NAME; default: the event's or what is checked out.",
        ),
        click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default="."),
    ):
        command = decorate(command)
    return command
