"""What a commit's message asks to be left out."""

from __future__ import annotations

import re
from enum import StrEnum

_SKIP_CI = re.compile(r"\[(?:skip ci|ci skip)\]", re.IGNORECASE)
_SKIP_CHECKS = re.compile(r"skip-checks:[ \t]*true[ \t]*", re.IGNORECASE)


class Skip(StrEnum):
    """What the message asks for."""

    NOTHING = "nothing"
    CI = "skip ci"
    """`[skip ci]` or `[ci skip]`: no build, said by a neutral check-run."""
    CHECKS = "skip-checks"
    """The trailer `skip-checks: true`: not even a check-run."""


def skip_of(message: str) -> Skip:
    """Read a commit message; the trailer counts in the last paragraph only, as GitHub reads it."""
    last_paragraph = message.strip().replace("\r\n", "\n").rpartition("\n\n")[2]
    if any(_SKIP_CHECKS.fullmatch(line) for line in last_paragraph.splitlines()):
        return Skip.CHECKS
    return Skip.CI if _SKIP_CI.search(message) else Skip.NOTHING
