"""One reference that leads nowhere, before it is told: the checks give these, cheaply, and few are put into words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import Literal

from kubeci.workflow.faults import Path

_CANDIDATES = 200  # names that a misspelt one is compared with; a manifest may hold many thousands
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Flaw:
    """What a check found: the rule, how bad, the path of the place, what is wrong and what to do.

    `wrong` is a misspelt name and `known` those that are there: the hint then suggests the nearest, if one is near.
    """

    rule: str
    severity: Literal["error", "warning"]
    path: Path
    message: str
    hint: str = ""
    wrong: str = ""
    known: Iterable[str] = field(default=(), repr=False)

    def advice(self) -> str:
        """Say what to do: the nearest known name, else the hint."""
        near = nearest(self.wrong, self.known) if self.wrong else ""
        return f"did you mean `{near}`?" if near else self.hint


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Give the known name that is most like a wrong one; empty when none is like it."""
    wrong = wrong[:_LONGEST]
    like = (name for name in known if abs(len(name) - len(wrong)) <= 3 and name != wrong)
    by_lower = {name.lower(): name for name in islice(like, _CANDIDATES)}
    found = get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[found[0]] if found else ""


def quoted(name: str) -> str:
    """Write a name from a manifest in one short line, in backticks."""
    line = " ".join(name.encode(errors="replace").decode().split())
    return f"`{line if len(line) <= _LONGEST else line[: _LONGEST - 1] + '…'}`"
