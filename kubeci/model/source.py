"""What one read of a commit brings: the CI files, the pull requests it heads, its message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open pull request whose head is the commit."""

    number: int
    title: str
    url: str
    draft: bool
    base_ref: str
    head_repository: str
    """`owner/name` of the head's repository; empty when that repository is gone."""
    base_sha: str = ""
    """The commit that the base branch stands at."""


@dataclass(frozen=True, slots=True)
class CommitSource:
    """The CI context of a commit and what is known beside it.

    `files` maps paths relative to the CI folder to their text; None: the commit has no such folder.
    `problems` says in sentences which entries of the folder are kept out, and why (binary, too large, a link out).
    """

    files: Mapping[str, str] | None
    message: str = ""
    pull_requests: tuple[PullRequest, ...] = ()
    problems: tuple[str, ...] = field(default=())
