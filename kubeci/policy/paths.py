"""Builds that depend on which files changed: the annotations `runIfChanged` and `skipIfOnlyChanged`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kubeci.errors import DefinitionError
from kubeci.settings.pattern import Pattern

GLOBS_LIMIT = 100
SHOWN = 500
"""Characters of the globs that a reason shows."""
_BRACE = re.compile(r"([{}])")
_BALANCED = re.compile(r"[^{}]*(?:\{[^{}]*\}[^{}]*)*")
_SPECIAL = re.compile(r"\*\*/|\*\*|\*|\?|\{[^{}/]*\}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PathRules:
    """The globs of a definition; a rule that is empty does not count."""

    run_if_changed: tuple[str, ...] = ()
    skip_if_only_changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.run_if_changed or self.skip_if_only_changed)


def parse_globs(text: str) -> tuple[str, ...]:
    """Split an annotation's value into globs, which are parted by commas outside of braces, or by line ends."""
    globs = tuple(filter(None, map(str.strip, _pieces(text))))
    if len(globs) > GLOBS_LIMIT:
        raise DefinitionError(f"{len(globs)} path patterns; at most {GLOBS_LIMIT} are taken")
    for glob in globs:
        if not _BALANCED.fullmatch(glob):
            raise DefinitionError(
                f"the path pattern `{glob[:100]}` has a brace without its other half, or within another"
            )
    return globs


def _pieces(text: str) -> list[str]:
    """Cut at line ends and at commas; a comma stands within braces where the next brace is a closing one."""
    parts = _BRACE.split(text)
    cut = [
        part if brace == "}" else part.replace(",", "\n")
        for part, brace in zip(parts, [*parts[1:], ""], strict=True)
    ]
    return "".join(cut).split("\n")


def skip_reason(rules: PathRules, changed: Sequence[str] | None) -> str:
    """Say why nothing needs to run for these changed files; empty: it must run.

    Files are relative to the repository. None: they are not known, so it must run.
    """
    if changed is None or not rules:
        return ""
    if rules.run_if_changed and not any(_matching(changed, rules.run_if_changed)):
        return f"no changed file matches {_shown(rules.run_if_changed)}"
    if rules.skip_if_only_changed and changed and all(_matching(changed, rules.skip_if_only_changed)):
        return f"all {len(changed)} changed files match {_shown(rules.skip_if_only_changed)}"
    return ""


def _shown(globs: Sequence[str]) -> str:
    """Write globs into one code span, which no backtick of theirs ends."""
    text = " ".join(", ".join(globs).replace("`", "'").split())
    return f"`{text if len(text) <= SHOWN else text[:SHOWN] + '…'}`"


def _matching(files: Sequence[str], globs: Sequence[str]) -> list[bool]:
    # One expression for all globs: the files may be thousands.
    pattern = Pattern("^(?:" + "|".join(map(glob_expression, globs)) + ")$")
    return [pattern.search(file) for file in files]


def glob_expression(glob: str) -> str:
    """Give the regular expression of a glob.

    `*` and `?` stay within a folder, `**` does not, `{a,b}` is either. As in `.gitignore`, a glob without a slash
    matches in any folder, and one that ends with a slash matches all below.
    """
    anywhere = "/" not in glob.rstrip("/")
    body = glob.removeprefix("/") + ("**" if glob.endswith("/") else "")
    expression = "".join(_expression_of(token) for token in _SPECIAL.findall(body))
    return f"(?:.*/)?{expression}" if anywhere else expression


def _expression_of(token: str) -> str:
    if token in _WILDCARDS:
        return _WILDCARDS[token]
    if token.startswith("{") and len(token) > 1:
        return "(?:" + "|".join(re.escape(each) for each in token[1:-1].split(",")) + ")"
    return re.escape(token)


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
