"""The words of trust: what happened, who did it, what follows (the setting `trust` uses them)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """What happened; the values are the rows of the setting `trust`."""

    PUSH = "push"
    """A branch of this repository: only who may write can push it."""
    TAG = "tag"
    MERGE_QUEUE = "mergeQueue"
    PULL_REQUEST = "pullRequest"
    """Its head is a branch of this repository."""
    FORK = "forkPullRequest"
    """Its head is a branch of another repository."""
    RERUN = "rerun"
    """GitHub offers it to those who may write."""
    RERUN_FORK = "rerunFork"
    """The same on a commit of a fork."""
    RUN = "runButton"
    """Run was pressed on a check-run that asks, or on a manual step's."""
    SKIP = "skipButton"
    """Skip was pressed on a manual step's check-run."""
    SKIP_ESSENTIAL = "skipEssentialButton"
    """The same on an essential step, which blocks until somebody acts."""
    CANCEL = "cancelButton"
    """Cancel was pressed on a running check-run."""
    CLEAR_CACHE = "clearCacheButton"
    COMMAND = "command"
    """Somebody wrote a command into a comment."""
    DEPLOYMENT = "deployment"
    """A GitHub deployment asks for a run; who may write to the repository can create one."""
    SLACK = "slack"
    """Somebody gave a command in Slack, and the setting `slack.access` lets them."""
    API = "api"
    """A request of the HTTP API, whose token lets it."""


class Who(StrEnum):
    """Who did it; somebody may be several of these, and the most permissive answer counts."""

    MEMBER = "member"
    """A member of the organisation that owns the repository."""
    WRITER = "writer"
    """May write to the repository, by whatever way."""
    AUTHOR = "author"
    """Author of a pull request whose head is in this repository."""
    FORK_AUTHOR = "forkAuthor"
    """Author of a pull request from a fork who contributed before."""
    FIRST_TIMER = "firstTimer"
    """Author of a pull request who never contributed."""
    BOT = "bot"
    """An App or a machine account of GitHub's; only this column counts for it."""
    STRANGER = "stranger"
    """Anybody else."""


class Answer(StrEnum):
    """What follows."""

    BUILD = "build"
    ASK = "ask"
    """A check-run that waits for somebody with write permission to press Run."""
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something on GitHub; `bot`: an App or a machine account of GitHub's."""

    login: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """What somebody may do in a repository."""

    member: bool = False
    """Of the organisation that owns it."""
    write: bool = False
