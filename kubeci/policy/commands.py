"""Slash commands in what people write on pull requests and issues (contract, section 8)."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TypeAlias

from kubeci.policy.spoken import spoken_lines

WORD = "/kube-ci"
NO_COMMAND = "no command"
OF_A_BOT = "commands of bots are ignored"
IDLE = frozenset({NO_COMMAND, OF_A_BOT})
"""What came of comments that asked for nothing."""
HELP = "help"
MAX_COMMANDS = 10
MAX_TEXT = 100_000  # characters; GitHub takes comments of 65,536
MAX_LINE = 1000  # characters; what is longer is no command that somebody typed

_COMMAND = re.compile(rf" {{0,3}}{WORD}(?=[ \t]|\Z)")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that somebody wrote: its verb, the words after it, and the line as it stands in the comment."""

    name: str
    args: tuple[str, ...]
    line: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that was meant as a command and cannot be read; `reason` is for who wrote it."""

    line: str
    reason: str


Line: TypeAlias = Command | Malformed


def parse_commands(text: str) -> tuple[Line, ...]:
    """Read the commands of a comment, in their order.

    A command is a line that begins with `/kube-ci`, after up to three blanks, and that its reader sees as the author's
    own text: not as code, as a quote or not at all. The word alone asks for help. Lines after the tenth command are one
    `Malformed` that says so.
    """
    found = [line.strip() for line in spoken_lines(text[:MAX_TEXT]) if _COMMAND.match(line)]
    read = tuple(_read(line) for line in found[:MAX_COMMANDS])
    if len(found) > MAX_COMMANDS:
        more = f"a comment may give {MAX_COMMANDS} commands, this one and those after it are left out"
        return (*read, Malformed(found[MAX_COMMANDS][:MAX_LINE], more))
    return read


def _read(line: str) -> Line:
    if len(line) > MAX_LINE:
        return Malformed(line[:MAX_LINE], f"a command has at most {MAX_LINE} characters")
    try:
        words = shlex.split(line[len(WORD) :])
    except ValueError:
        return Malformed(line, "a quote is not closed, or nothing follows the last backslash")
    return Command(words[0], tuple(words[1:]), line) if words else Command(HELP, (), line)
