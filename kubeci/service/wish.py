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
from kubeci.report.plain import one_line


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


def told(wish: Wish) -> str:
    """Say what an event asks for, in a sentence for operators."""
    match wish:
        case BuildRequest():
            what = f"a build of {wish.commit.sha[:12]} ({wish.ref.type} {wish.ref.name or 'unknown'})"
            for word, value in (("template", wish.entrypoint), ("fork", wish.head_repository)):
                what += f", {word} {value}" if value else ""
            asked = f"{wish.what} by {wish.actor.login}" if wish.actor else f"{wish.what}"
            return one_line(f"asks for {what}: {asked}, build {wish.id[:12]}", 500)
        case StopRequest():
            return f"asks that the builds of pull request #{wish.number} end"
        case Press():
            return one_line(
                f"the button {wish.button} was pressed by {wish.by.login} on {wish.build.check_name}"
            )
        case CommentEvent():
            return one_line(f"{wish.author.login} wrote on #{wish.post.number}: {wish.text}")
        case BranchDeletedEvent():
            return one_line(f"asks that the caches of the branch {wish.branch} go")
        case RepositoryGoneEvent():
            return f"asks that the caches of the repository go: it was {wish.action}"
        case Ignored():
            return f"asks for nothing: {wish.reason}"
