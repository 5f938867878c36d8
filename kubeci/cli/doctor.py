"""`kubeci doctor`: what is wrong with an installation, and how it is mended."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from kubeci.cli.lazy import loading
from kubeci.cli.options import Invocation, server_options
from kubeci.doctor.check import Check
from kubeci.doctor.finding import Finding, State
from kubeci.doctor.text import Terminal, text

PROGRESS_AFTER_SECONDS = 1.0


@click.command(name="doctor", context_settings={"max_content_width": 110, "show_default": True})
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to write what was found."
)
@click.option(
    "--as",
    "as_user",
    metavar="USER",
    default="",
    show_default=False,
    help="Ask for this user's rights in the cluster, such as system:serviceaccount:kubeci:kubeci.",
)
@server_options
def command(invocation: Invocation, *, output: str, as_user: str) -> None:
    """Look at each thing that must be right in an installation, and say what mends what is not.

    Takes the options of `kubeci serve`, and changes nothing: not on GitHub, not in the cluster, not in the store. It
    may run beside the server, or on an administrator's machine with other rights (then see --as).

    \b
    Exit status:
      0  everything is right, or there are warnings only
      1  something is wrong
      2  the command was not understood

    \b
    Examples:
      kubeci doctor --github.appid 12345 --config config.yaml
      kubeci doctor --kubeconfig admin --as system:serviceaccount:kubeci:kubeci
      kubeci doctor -o json
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    found = asyncio.run(_examine(invocation, as_user))
    click.echo(_json(found) if output == "json" else text(found, _terminal()), nl=False)
    sys.exit(1 if any(each.state is State.WRONG for each in found) else 0)


async def _examine(invocation: Invocation, as_user: str) -> list[Finding]:
    given, progress = invocation.examine(), _Progress()
    with loading():
        from kubeci.doctor.examine import examine  # noqa: PLC0415 - it loads all adapters, and help needs none
        from kubeci.doctor.subject import Subject  # noqa: PLC0415 - likewise
        from kubeci.telemetry import configure_logging  # noqa: PLC0415 - likewise
    configure_logging("console", level=logging.CRITICAL)  # what is logged on the way is found and told
    problems = tuple(map(str, given.problems))
    subject = Subject(given.options, given.config, given.warnings, problems, given.unread, as_user)
    return await examine(subject, tell=progress)


def _json(found: Sequence[Finding]) -> str:
    document = {"findings": [asdict(each) for each in found]}
    # All of it ASCII: what a server answered must not command a terminal.
    return json.dumps(document, indent=2) + "\n"


def _terminal() -> Terminal:
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    return Terminal(
        columns=shutil.get_terminal_size((100, 24)).columns,
        unicode=encoding == "utf8",
        colours=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
    )


class _Progress:
    """Says on a terminal what is still being looked at, once that takes long; the line goes when it ends."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._written = 0

    def __call__(self, running: Sequence[Check]) -> None:
        if not sys.stderr.isatty() or time.monotonic() - self._began < PROGRESS_AFTER_SECONDS:
            return
        names = dict.fromkeys(str(each.group) for each in running)
        line = f"waiting for {', '.join(names)}"[: shutil.get_terminal_size().columns - 1] if names else ""
        click.echo("\r" + line.ljust(self._written) + ("" if line else "\r"), err=True, nl=False)
        self._written = len(line)
