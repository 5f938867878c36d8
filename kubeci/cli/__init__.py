"""The commands: serve, demo, lint, render, schema, doctor, events, explain, replay, create-app.

Exit status: 0 fine, 1 the CI definition is wrong (or a demo did not end as it says), 2 usage or configuration.
"""

from __future__ import annotations

import sys

import click

from kubeci import __version__
from kubeci.cli.argv import normalise
from kubeci.cli.lazy import LazyGroup
from kubeci.errors import ConfigurationError
from kubeci.report.plain import plain

COMMANDS = {
    "serve": ("kubeci.cli.serve", "Run the server."),
    "demo": ("kubeci.cli.demo", "Watch a push become a workflow and a check-run, all on this machine."),
    "lint": ("kubeci.cli.lint", "Say what is wrong with a working tree's CI definition."),
    "render": ("kubeci.cli.render", "Print the workflow that a working tree's CI definition gives."),
    "schema": ("kubeci.cli.schema", "Print the JSON schema of a file, for editors."),
    "doctor": ("kubeci.cli.doctor", "Say what is wrong with an installation, and what mends it."),
    "events": ("kubeci.cli.events", "List what came from GitHub lately, and what became of it."),
    "explain": ("kubeci.cli.explain", "Tell why something was built, why not, and where it is now."),
    "replay": ("kubeci.cli.replay", "Do the work of a delivery anew, or say what that would do."),
    "create-app": ("kubeci.cli.create_app", "Make the GitHub App in one click, and its Secret."),
}


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
@click.version_option(__version__)
def cli() -> None:
    """Continuous integration for GitHub on Kubernetes and Argo Workflows.

    \b
    Examples:
      kubeci demo                         see all of it work on this machine
      kubeci lint                         is this working tree's definition right?
      kubeci render                       what would it run?
      kubeci serve -github.appid 12345    run the server
      kubeci events                       what came lately, and what became of it?
      kubeci explain 3f2a1bc              why was this commit built, or not?
      kubeci replay 72d3162e --dry-run    what would this delivery lead to now?
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines


def main() -> None:
    """Run the command line; options alone mean `serve`, as the original's image was started."""
    try:
        cli.main(args=normalise(sys.argv[1:]), prog_name="kubeci", standalone_mode=True)
    except ConfigurationError as error:
        click.echo(plain(f"kubeci: {error}"), err=True)  # it may hold words of GitHub or of the cluster
        sys.exit(2)
