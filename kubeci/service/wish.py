"""What an event may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from kubeci.model.build import Build, BuildRequest
from kubeci.model.decision import Ignored
from kubeci.model.event import BranchDeletedEvent, CommentEvent, RepositoryGoneEvent
from kubeci.model.repository import Commit
from kubeci.model.trust import Person


class Button(StrEnum):
    """The buttons of our check-runs, by their identifiers; Run is a wish for a build."""

    SKIP = "skip"
    CANCEL = "cancel"
    CLEAR_CACHE = "clearCache"
    CLEAR_CACHE_BRANCH = "clearCacheBranch"


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button on a build's check-run."""

    button: Button
    build: Build
    by: Person
    wish: str
    """The same whenever the same press is handled again."""


@dataclass(frozen=True, slots=True)
class StopRequest:
    """The wish that the running builds of a closed pull request end."""

    head: Commit
    branch: str
    fork: str
    """`owner/name` of the head's repository where it is another one; empty: this one."""
    number: int
    merge_sha: str
    """The commit that a merge left in the base branch; empty: it was not merged."""


Wish: TypeAlias = (
    BuildRequest | StopRequest | Press | CommentEvent | BranchDeletedEvent | RepositoryGoneEvent | Ignored
)
