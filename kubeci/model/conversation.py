"""Comments on pull requests and issues, and what is answered to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kubeci.model.repository import Repository

Reaction = Literal["+1", "-1", "confused", "eyes", "rocket"]
"""Those of GitHub's reactions that we answer with (docs.github.com/rest/reactions)."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where somebody wrote something: a comment, or with `comment_id` 0 the text that an issue was opened with."""

    repository: Repository
    number: int
    """Of the pull request or issue."""
    comment_id: int
    url: str
    created_at: datetime
    on_pull_request: bool


@dataclass(frozen=True, slots=True)
class PullRequestHead:
    """A pull request as of now; all of it was read in one answer."""

    number: int
    title: str
    url: str
    open: bool
    draft: bool
    head_sha: str
    head_ref: str
    head_repository: str
    """`owner/name`; empty when that repository is gone."""
    base_ref: str
    base_sha: str
    updated_at: datetime
    """When anything of it changed last: a push, a comment, a label."""
