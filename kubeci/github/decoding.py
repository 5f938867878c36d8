"""What the readers of all events share: JSON into shapes, shapes into our values."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from kubeci.errors import Invalid
from kubeci.github import shapes
from kubeci.model.event import IgnoredEvent
from kubeci.model.repository import Repository
from kubeci.model.trust import Person

T = TypeVar("T")


def read(payload: bytes, shape: type[T]) -> T:
    """Read a JSON document into a shape; what does not fit is `Invalid` (status 400)."""
    try:
        return msgspec.json.decode(payload, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the payload cannot be read: {error}"[:300], status=400) from error


def repository_of(body: shapes.Scoped) -> Repository | None:
    """Give the repository of an event; None: it names no installation."""
    if body.installation is None:
        return None
    return Repository(body.repository.owner.login, body.repository.name, body.installation.id)


def person_of(account: shapes.Account | None) -> Person:
    """Give who did something; whoever deleted their account stands as `ghost`, who may do nothing."""
    return Person(account.login, bot=account.type == "Bot") if account else Person("ghost")


def no_installation(name: str) -> IgnoredEvent:
    """Say why an event without an installation is ignored."""
    return IgnoredEvent(f"{name}: it names no installation, so it was not sent to a GitHub App")
