"""A group of commands that imports a command when it is called: `--help` need not load the server."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click


@contextmanager
def loading() -> Iterator[None]:
    """Import what is heavy inside the block, without a look for garbage: that takes a fifth of the time, and finds none.

    What was loaded stays as long as the process, so no later look goes through it either.
    """
    before, collects = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > before:
            gc.freeze()
        if collects:
            gc.enable()


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
        with loading():
            command: click.Command = importlib.import_module(self._by_name[name][0]).command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._by_name.items()])
