"""Findings as text for a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest

import click

from kubeci.doctor.finding import Finding, State

_MARKS = {State.OK: "✓", State.WARNING: "!", State.WRONG: "✗", State.UNKNOWN: "?"}
_PLAIN = {State.OK: "+", State.WARNING: "!", State.WRONG: "x", State.UNKNOWN: "?"}
_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.WRONG: "red", State.UNKNOWN: "cyan"}
_WORDS = {
    State.WRONG: ("wrong", "wrong"),
    State.WARNING: ("warning", "warnings"),
    State.UNKNOWN: ("not looked at", "not looked at"),
    State.OK: ("right", "right"),
}
_INDENT = 10  # columns before a reason or a remedy
_NAMES = 30  # columns of a name at most; a longer one shifts its line


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the text is for: columns, whether it shows more than ASCII, and colours."""

    columns: int = 100
    unicode: bool = True
    colours: bool = False


def text(findings: Sequence[Finding], terminal: Terminal) -> str:
    """Write findings by their groups, and last how many of each state there are."""
    lines: list[str] = []
    names = min(max((len(each.name) for each in findings), default=0), _NAMES)
    for group, members in groupby(findings, key=lambda each: each.group):
        lines += [_styled(group, terminal, bold=True)]
        shown = list(members)
        for finding, following in zip_longest(shown, shown[1:]):
            same = following is not None and _mended(finding) == _mended(following)
            lines += _lines(finding, terminal, names, mended=not same)
        lines.append("")
    lines.append(_summary(findings, terminal))
    whole = "\n".join(lines) + "\n"
    return whole if terminal.unicode else whole.encode("ascii", "replace").decode()


def _mended(finding: Finding) -> tuple[str, str]:
    return finding.remedy, finding.command


def _lines(finding: Finding, terminal: Terminal, names: int, *, mended: bool) -> list[str]:
    """Write one finding; not `mended`: the next one tells the same remedy."""
    mark = (_MARKS if terminal.unicode else _PLAIN)[finding.state]
    name = f"{_printable(finding.name):<{names}}"
    room = max(terminal.columns - names - 5, 30)
    found = _wrapped(finding.found, room) or [""]
    lines = [f"  {_styled(mark, terminal, fg=_COLOURS[finding.state])} {name} {found[0]}".rstrip()]
    lines += [f"{'':{names + 5}}{line}" for line in found[1:]]
    if finding.state is State.OK:
        return lines
    for word, told in (("why", finding.why), ("mend", finding.remedy if mended else "")):
        for number, line in enumerate(_wrapped(told, max(terminal.columns - _INDENT, 30))):
            label = f"{word if number == 0 else '':>{_INDENT - 2}}"
            lines.append(f"{_styled(label, terminal, dim=True)}  {line}")
    if finding.command and mended:
        # In one line, however long: it is copied.
        lines.append(f"{'':{_INDENT}}{_styled('$ ' + _printable(finding.command), terminal, bold=True)}")
    return lines


def _wrapped(told: str, room: int) -> list[str]:
    return textwrap.wrap(_printable(told), room, break_long_words=False, break_on_hyphens=False)


def _printable(told: str) -> str:
    """Take out what could command the terminal: an answer of a server may hold anything."""
    return "".join(letter if letter.isprintable() else " " for letter in told)


def _summary(findings: Sequence[Finding], terminal: Terminal) -> str:
    counted = Counter(finding.state for finding in findings)
    told = ", ".join(
        f"{counted[state]} {words[counted[state] != 1]}" for state, words in _WORDS.items() if counted[state]
    )
    worst = next((state for state in _WORDS if counted[state]), State.OK)
    return _styled(told, terminal, fg=_COLOURS[worst], bold=True)


def _styled(words: str, terminal: Terminal, **style: object) -> str:
    return click.style(words, **style) if terminal.colours else words  # type: ignore[arg-type]  # click's own keywords
