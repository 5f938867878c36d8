"""Where branches and pull requests stand, and whether our checks have looked at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository


@dataclass(frozen=True, slots=True)
class Installation:
    """The App on one account."""

    id: int
    owner: str


@dataclass(frozen=True, slots=True)
class Installed:
    """A repository that the App is installed on, with GitHub's repository object."""

    repository: Repository
    described: JsonObject


@dataclass(frozen=True, slots=True)
class Head:
    """A branch, or an open pull request where it has a number, and the commit that it stands at."""

    name: str
    """The branch's; for a pull request that of its head branch."""
    sha: str
    changed_at: datetime
    """When it came to stand there, as far as GitHub tells: not later than the last that happened to it."""
    checked: bool
    """The commit has a check-run of ours."""
    number: int = 0
    opened_at: datetime | None = None
    before: str = ""
    """Where the branch stood before; empty: GitHub does not say."""
    pusher: str = ""
