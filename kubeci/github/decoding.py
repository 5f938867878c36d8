"""What the readers of all events share: JSON into shapes, shapes into our values."""

from __future__ import annotations

from dataclasses import replace
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


def known(event: IgnoredEvent, payload: bytes) -> IgnoredEvent:
    """Give an event that was read and asks nothing of us with what it is about."""
    try:
        about = read(payload, shapes.About)
    except Invalid:  # what is not needed is not worth a refusal
        return replace(event, known=True)
    shas = (
        about.after,
        about.check_suite and about.check_suite.head_sha,
        about.check_run and about.check_run.head_sha,
        about.pull_request and about.pull_request.head.sha,
        about.merge_group and about.merge_group.head_sha,
        about.deployment and about.deployment.sha,
    )
    sha = next((sha for sha in shas if sha), "")
    repository = f"{about.repository.owner.login}/{about.repository.name}"
    return replace(event, known=True, repository=repository, sha=sha if sha.strip("0") else "")


def no_installation(name: str) -> IgnoredEvent:
    """Say why an event without an installation is ignored."""
    return IgnoredEvent(f"{name}: it names no installation, so it was not sent to a GitHub App")
