"""What the local Slack knows: channels, messages, and the addresses at which commands may be answered."""

from __future__ import annotations

import itertools
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

ANSWERS = 5  # docs.slack.dev, "Handling user interaction in your Slack apps"
ANSWERS_FOR = timedelta(minutes=30)
TEXT_LIMIT = 40_000  # characters: docs.slack.dev/reference/methods/chat.postMessage
KEPT = 1_000

BOT = "kubeci"


@dataclass(frozen=True, slots=True)
class Said:
    """A message in a channel; `only_to` names the user who alone sees it, empty: everybody does."""

    ts: str
    user: str
    text: str
    only_to: str = ""


@dataclass(slots=True)
class Channel:
    """A channel; the bot writes only where it is a member."""

    id: str
    name: str
    member: bool = True
    archived: bool = False
    said: deque[Said] = field(default_factory=lambda: deque(maxlen=KEPT))


@dataclass(slots=True)
class Door:
    """An address at which one command may be answered."""

    channel: Channel
    user: str
    until: datetime
    left: int = ANSWERS


class Workspace:
    """One workspace with one app in it."""

    team = "T0LOCAL"

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self.now = now or partial(datetime.now, UTC)
        self.channels: dict[str, Channel] = {}
        self.doors: dict[str, Door] = {}
        self._count = itertools.count(1)

    def add_channel(self, name: str, *, member: bool = True) -> Channel:
        """Add a channel."""
        channel = Channel(f"C{next(self._count):08}", name, member)
        self.channels[channel.id] = channel
        return channel

    def find(self, channel: str) -> Channel | None:
        """Find a channel by id, or by name with or without its `#`."""
        named = (each for each in self.channels.values() if each.name == channel.removeprefix("#"))
        return self.channels.get(channel) or next(named, None)

    def say(self, channel: Channel, user: str, text: str, *, only_to: str = "") -> Said:
        """Add a message to a channel."""
        ts = f"{int(self.now().timestamp())}.{next(self._count):06}"
        said = Said(ts, user, text, only_to)
        channel.said.append(said)
        return said

    def open_door(self, channel: Channel, user: str) -> str:
        """Give the path at which a command that is given now may be answered."""
        path = f"{self.team}/{next(self._count)}/{secrets.token_urlsafe(12)}"
        self.doors[path] = Door(channel, user, self.now() + ANSWERS_FOR)
        return path

    def answer(self, path: str, text: str, *, public: bool) -> str:
        """Take an answer to a command; gives Slack's word for what is wrong, empty: it was taken."""
        door = self.doors.get(path)
        if door is None or self.now() > door.until:
            return "expired_url"
        if door.left == 0:
            return "used_url"
        door.left -= 1
        self.say(door.channel, BOT, text, only_to="" if public else door.user)
        return ""
