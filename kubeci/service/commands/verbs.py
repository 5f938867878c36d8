"""The table of commands; the help and the documents are held to it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from kubeci.policy.commands import HELP, WORD
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.set_up import templates_of
from kubeci.settings.config import Config


@dataclass(frozen=True, slots=True)
class Verb:
    """A command as the help shows it."""

    usage: str
    """What is written after `/kube-ci`."""
    effect: str


VERBS: dict[str, Verb] = {
    "run": Verb("run [SHA]", "build this pull request, also one from a fork"),
    "ok-to-test": Verb("ok-to-test [SHA]", "let the automatic build of this fork's commit happen, once"),
    "cancel": Verb("cancel", "stop what is running for this pull request; a second time at once"),
    "retry": Verb("retry", "run what failed on this pull request once more"),
    "deploy": Verb("deploy [ENV] [--template NAME]", "deploy this branch, without ENV to staging"),
    "setup": Verb("setup TEMPLATE", "write a template as this repository's CI definition"),
    HELP: Verb(HELP, "show this list"),
}


def help_text(config: Config) -> str:
    """List the commands and the operator's templates, as Markdown."""
    rows = [f"- {code(f'{WORD} {verb.usage}')}: {verb.effect}" for verb in VERBS.values()]
    return "\n".join(["Commands:", "", *rows, "", templates_of(config)])


def unknown(name: str, config: Config) -> Answer:
    """Say that there is no such command, and which there are."""
    near = get_close_matches(name[:20].lower(), VERBS, n=1)
    meant = f"; did you mean {code(f'{WORD} {near[0]}')}?" if near else ""
    return refused(f"unknown command {code(name) or 'without a name'}{meant}\n\n{help_text(config)}")
