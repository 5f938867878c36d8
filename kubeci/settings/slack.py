"""Settings of Slack: who may command what there, and what is told to whom (contract, section 9)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from kubeci.settings.pattern import Pattern


class SlackVerb(StrEnum):
    """What a Slack command does."""

    SETUP = "setup"
    BUILD = "build"
    DEPLOY = "deploy"


class News(StrEnum):
    """What a channel may be told of."""

    FAILURE = "failure"
    """A build of the default branch failed."""
    RECOVERY = "recovery"
    """It succeeds again."""
    DEPLOYMENT = "deployment"
    """A deployment ended, well or badly."""


class SlackAccess(Struct, frozen=True):
    """One row of who may do what; a command is taken when some row holds all of it."""

    repositories: tuple[Pattern, ...]
    """Matched with the whole of `owner/name`."""
    verbs: tuple[SlackVerb, ...]
    users: tuple[str, ...] = ()
    """Ids of Slack users (`U…`); none: everybody in the channels."""
    channels: tuple[str, ...] = ()
    """Ids of Slack channels (`C…`); none: wherever the users write."""


class SlackNews(Struct, frozen=True):
    """One row of what is told to a channel."""

    channel: str
    """Id or name of the channel that the bot is a member of."""
    repositories: tuple[Pattern, ...]
    """Matched with the whole of `owner/name`."""
    on: tuple[News, ...] = (News.FAILURE, News.RECOVERY, News.DEPLOYMENT)


class Slack(Struct, frozen=True):
    """Settings of Slack."""

    access: tuple[SlackAccess, ...] = ()
    """Who may give which commands; none: nobody."""
    news: tuple[SlackNews, ...] = ()
    """Which channels are told of what; none: no channel."""
