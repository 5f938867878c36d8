"""A group of commands that imports a command when it is called: `--help` need not load the server."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands by name, each with the module that defines `command` and its short help."""

    def __init__(self, *args: Any, commands_by_name: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._by_name = commands_by_name

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they were given."""
        return list(self._by_name)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import a command; None: there is none of this name."""
        if name not in self._by_name:
            return None
        command: click.Command = importlib.import_module(self._by_name[name][0]).command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._by_name.items()])
