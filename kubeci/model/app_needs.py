"""What our GitHub App needs: each permission and each event, with the feature that it carries.

The features and what happens without them: docs/migration.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission of the App by GitHub's name; `essential`: without it nothing is built."""

    name: str
    level: Level
    carries: str
    without: str
    essential: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """An event that the App subscribes to, the permission that GitHub asks for it, and what it carries."""

    event: str
    permission: str
    carries: str
    essential: bool = False


PERMISSIONS = (
    Permission(
        "checks", "write", "check-runs, their buttons and annotations", "nothing works", essential=True
    ),
    Permission("contents", "read", "the .kube-ci/ folder and tags", "nothing works", essential=True),
    Permission(
        "contents", "write", "the command /kube-ci setup", "setup is refused, and the answer says why"
    ),
    Permission("metadata", "read", "names of repositories", "GitHub gives it to every App", essential=True),
    Permission(
        "pull_requests",
        "write",
        "base branches, drafts, forks, commands on pull requests and their answers",
        "a commit is judged by its branch, with a warning; pull requests of forks are not seen",
    ),
    Permission(
        "issues", "write", "commands in comments, and their answers", "no command is heard or answered"
    ),
    Permission(
        "deployments",
        "write",
        "deployments both ways",
        "builds run, but GitHub shows no deployment of theirs",
    ),
    Permission(
        "members", "read", "members of the organisation", "only public members and writers give commands"
    ),
    Permission(
        "merge_queues", "read", "commits of a merge queue", "they are built by the push of their branch"
    ),
)

EVENTS = (
    Subscription("check_suite", "checks", "builds of branches, re-runs of a suite", essential=True),
    Subscription("check_run", "checks", "buttons, re-runs of one check", essential=True),
    Subscription("push", "contents", "pushes that GitHub makes no check suite of, changed files"),
    Subscription("create", "contents", "builds of tags"),
    Subscription("delete", "contents", "caches of deleted branches"),
    Subscription("pull_request", "pull_requests", "builds of pull requests, forks among them"),
    Subscription("issue_comment", "issues", "commands in comments"),
    Subscription("issues", "issues", "commands in the text of a new issue"),
    Subscription("deployment", "deployments", "deployments that somebody else asks for"),
    Subscription("repository", "metadata", "caches of deleted and archived repositories"),
    Subscription("merge_group", "merge_queues", "commits of a merge queue"),
)


def wanted_permissions() -> dict[str, Level]:
    """Give the highest level of each permission, as an App's manifest and GitHub's API write them."""
    wanted: dict[str, Level] = {}
    for permission in PERMISSIONS:
        if wanted.get(permission.name) != "write":
            wanted[permission.name] = permission.level
    return wanted
