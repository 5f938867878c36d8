"""Issues, and what people say on them and on pull requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from kubeci.local.github.state import Account, PullRequest, Repository, State

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


@dataclass(slots=True)
class Issue:
    """An issue; its number is one of the row that pull requests count in too."""

    id: int
    number: int
    repository: Repository
    title: str
    user: Account
    created_at: datetime
    updated_at: datetime
    body: str | None = None
    state: Literal["open", "closed"] = "open"
    labels: list[str] = field(default_factory=list)
    closed_at: datetime | None = None


Thread: TypeAlias = Issue | PullRequest


@dataclass(slots=True)
class Comment:
    """What somebody said on an issue or a pull request."""

    id: int
    thread: Thread
    user: Account
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Reaction:
    """One of GitHub's eight pictures, put by somebody on a comment, an issue or a pull request."""

    id: int
    user: Account
    content: str
    created_at: datetime


def next_number(repository: Repository) -> int:
    """Give the number of a repository's next issue or pull request, which is taken then: opening one takes a while."""
    repository.last_number += 1
    return repository.last_number


def find_thread(state: State, repository: Repository, number: int) -> Thread | None:
    """Find an issue or a pull request by its number."""
    threads: list[Thread] = [*state.issues, *state.pull_requests]
    return next((t for t in threads if t.repository is repository and t.number == number), None)


def comments_of(state: State, thread: Thread) -> list[Comment]:
    """List the comments of an issue or a pull request, oldest first."""
    return [comment for comment in state.comments.values() if comment.thread is thread]
