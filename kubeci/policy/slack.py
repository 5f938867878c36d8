"""What a Slack command asks for, and who may ask for it (contract, section 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kubeci.model.slack import SlackCommand
from kubeci.settings.slack import SlackAccess, SlackVerb


@dataclass(frozen=True, slots=True)
class Usage:
    """A command's verb, and the words behind it."""

    verb: SlackVerb
    words: str
    most: int
    """As many words as it takes."""


COMMANDS = {
    "/ci-setup": Usage(SlackVerb.SETUP, "org/repo [template [branch]]", 3),
    "/ci-build": Usage(SlackVerb.BUILD, "org/repo [ref]", 2),
    "/ci-deploy": Usage(SlackVerb.DEPLOY, "org/repo [env]", 2),
}

# docs.github.com: logins (an underscore stands in those of managed users) and names of repositories.
_REPOSITORY = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})/(?!\.{1,2}$)([A-Za-z0-9._-]{1,100})")
_WORD_LIMIT = 255  # characters; git's refs are files


@dataclass(frozen=True, slots=True)
class SlackWish:
    """What a command asks for; `words` stand behind the repository."""

    verb: SlackVerb
    owner: str
    name: str
    words: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """Give `owner/name` as it was written."""
        return f"{self.owner}/{self.name}"

    def word(self, at: int) -> str:
        """Give one of the words, counted from 0; empty: it was not given."""
        return self.words[at] if at < len(self.words) else ""


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """The command asks for nothing that we do; `reason` says what we would."""

    reason: str


def wish_of(command: SlackCommand) -> SlackWish | Misunderstood:
    """Read what a command asks for."""
    usage = COMMANDS.get(command.command)
    if usage is None:
        return Misunderstood(f"unknown command {command.command}; there are {', '.join(COMMANDS)}")
    how = Misunderstood(f"usage: {command.command} {usage.words}")
    repository, *words = command.text.split() or [""]
    named = _REPOSITORY.fullmatch(repository)
    if not named or len(words) >= usage.most or not all(map(_is_plain, words)):
        return how
    return SlackWish(usage.verb, named[1], named[2], tuple(words))


def may(command: SlackCommand, verb: SlackVerb, full_name: str, access: Iterable[SlackAccess]) -> bool:
    """Say whether one row holds the verb, the repository, the user and the channel; a row without either of both holds nobody."""
    return any(
        verb in row.verbs
        and bool(row.users or row.channels)
        and (not row.users or command.user_id in row.users)
        and (not row.channels or command.channel_id in row.channels)
        and any(pattern.matches_all(full_name) for pattern in row.repositories)
        for row in access
    )


def refusal(command: SlackCommand, verb: SlackVerb, full_name: str) -> str:
    """Say that somebody may not, and who can change that."""
    return (
        f"you may not {verb} {full_name} from here: ask the operator to add you to `slack.access` "
        f"(user {command.user_id}, channel {command.channel_id})"
    )


def _is_plain(word: str) -> bool:
    return len(word) <= _WORD_LIMIT and word.isprintable()
