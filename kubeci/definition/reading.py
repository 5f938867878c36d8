"""Which other repositories, and whether the web, a definition may read (contract, section 3).

Without such a rule, anyone who can write to one repository could read all that the App can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubeci.model.repository import Repository
from kubeci.settings.pattern import Pattern


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """What the definition of one build may read.

    `repository` is the build's own. `patterns` are the operator's, on `owner/name`; None: the repositories of the same owner.
    """

    repository: Repository
    patterns: Sequence[Pattern] | None = None
    trusted: bool = False
    """Whether who wrote the head is trusted; a stranger's definition reads nothing beyond its own repository."""


def unreadable(full_name: str, rules: ReadingRules) -> str:
    """Say why a build's definition may not read the repository `owner/name`; empty: it may.

    A definition may always read its own repository. A pattern must match the whole of `owner/name`.
    """
    if full_name.lower() == rules.repository.full_name.lower():
        return ""
    if not rules.trusted:
        return f"{full_name} is not read for a head that is not trusted"
    if rules.patterns is None:
        if full_name.partition("/")[0].lower() == rules.repository.owner.lower():
            return ""
        return f"{full_name} belongs to another owner, and the setting `moduleRepositories` does not name it"
    if any(pattern.matches_all(full_name) for pattern in rules.patterns):
        return ""
    return f"{full_name} is not among the `moduleRepositories` of the server's settings"


def web_unreadable(rules: ReadingRules) -> str:
    """Say why a definition may not fetch from the web; empty: it may."""
    return "" if rules.trusted else "nothing is fetched from the web for a head that is not trusted"
