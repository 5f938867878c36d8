"""`kubeci lint`: everything that is wrong with a definition, at once."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace

import click
import msgspec

from kubeci.cli.argo_lint import Judge, argo_options, judged
from kubeci.cli.preparation import Invocation, tree_options
from kubeci.cli.sarif import sarif
from kubeci.definition.definition import EvaluationFailed
from kubeci.errors import DefinitionError, EntrypointError, Location
from kubeci.report.plain import plain
from kubeci.service.examine import Rejected
from kubeci.service.prepare import render
from kubeci.settings.config import Config
from kubeci.workflow.schema import Problem


@click.command(name="lint", context_settings={"max_content_width": 110})
@tree_options
@click.option(
    "-o", "--output", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True,
    help="How to write what is wrong.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@argo_options
def command(invocation: Invocation, *, output: str, strict: bool, judge: Judge | None) -> None:
    """Say what is wrong with the CI definition of the working tree at PATH, all of it at once.

    Evaluates and checks it as the server does for a build, and is stricter in one thing: a field that Argo does not
    have is an error. When there are ci.star and ci.yaml, the one that the server would take is checked. Problems go to
    stdout, what the definition prints to stderr. WorkflowTemplates of a cluster are looked at by argo-server alone,
    where one is named; it is asked when nothing else is wrong.

    \b
    Exit status:
      0  nothing is wrong, or there are warnings only
      1  there are errors
      2  there is no definition, the command was not understood,
         or argo-server did not answer

    \b
    Examples:
      kubeci lint
      kubeci lint ~/src/widgets --ref refs/tags/v1.0
      kubeci lint --event pull_request.json --strict
      kubeci lint -o sarif > kubeci.sarif
      kubeci lint --argo-server https://argo --argo-tokenfile token
    """  # noqa: D301 - \b is click's mark for a block that keeps its lines
    found = asyncio.run(_problems(invocation, judge))
    if strict:
        found = [replace(each, severity="error") for each in found]
    click.echo(_written(found, output, invocation), nl=False)
    errors = sum(each.severity == "error" for each in found)
    click.echo(_summary(errors, len(found) - errors), err=True)
    sys.exit(1 if errors else 0)


async def _problems(invocation: Invocation, judge: Judge | None) -> list[Problem]:
    config = msgspec.structs.replace(invocation.config, strict_workflows=True)
    source = invocation.source()
    around = [_kept_out(text, config) for text in source.problems]
    try:
        prepared = await invocation.prepare(source, config)
        if prepared is None:
            click.echo("the definition says that there is nothing to run (workflow = None)", err=True)
            return around
        _echo(prepared.build.prints)
        workflow = render(prepared, config)  # too large is found here
    except DefinitionError as error:
        if isinstance(error, EvaluationFailed):
            _echo(error.prints)
        return [*_of_error(error, config), *around]
    found = await judged(judge, workflow, prepared) if judge else []
    return [*found, *prepared.warnings, *around]


def _of_error(error: DefinitionError, config: Config) -> list[Problem]:
    if isinstance(error, Rejected):
        return list(error.problems)
    rule = "entrypoint" if isinstance(error, EntrypointError) else "definition"
    where = error.where or Location(config.ci_context_path)
    first = Problem("error", where, error.message, error.hint, rule)
    return [first, *(each for each in error.others if isinstance(each, Problem))]


def _kept_out(text: str, config: Config) -> Problem:
    path, _, reason = text.partition(": ")
    return Problem(
        "warning", Location(f"{config.ci_context_path}/{path}"), f"is not read: it {reason}", rule="file"
    )


def _echo(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(plain(line), err=True)


def _summary(errors: int, warnings: int) -> str:
    counts = ((errors, "error"), (warnings, "warning"))
    told = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    return ", ".join(told) or "nothing is wrong"


def _written(problems: Sequence[Problem], output: str, invocation: Invocation) -> str:
    if output == "text":
        return "".join(f"{plain(_line(problem, invocation))}\n" for problem in problems)
    value = sarif(problems) if output == "sarif" else [_entry(problem) for problem in problems]
    # All of it ASCII: what a definition or a server says must not command a terminal.
    return json.dumps(value, indent=2) + "\n"


def _line(problem: Problem, invocation: Invocation) -> str:
    """Write a problem as compilers do, its path such that an editor finds it from here."""
    where = replace(problem.where, path=str(invocation.path / problem.where.path))
    text = f"{where}: {problem.severity}: {problem.message}"
    return f"{text}; {problem.hint}" if problem.hint else text


def _entry(problem: Problem) -> dict[str, str | int]:
    return {
        "path": problem.where.path,
        "line": problem.where.line,
        "column": problem.where.column,
        "severity": problem.severity,
        "rule": problem.rule,
        "message": problem.message,
        "hint": problem.hint,
    }
