"""Payloads that say what is there no more: branches and repositories, whose caches go with them (contract, section 2)."""

from __future__ import annotations

from kubeci.github import shapes
from kubeci.github.decoding import no_installation, read, repository_of
from kubeci.model.event import BranchDeletedEvent, Event, IgnoredEvent, RepositoryGoneEvent


def deleted_ref(name: str, _action: str, payload: bytes) -> Event:
    """Read the deletion of a branch; that of a tag asks nothing of us."""
    body = read(payload, shapes.RefPayload)
    if body.ref_type != "branch":
        return IgnoredEvent(f"{name} of a {body.ref_type[:40]}: only branches have caches")
    repository = repository_of(body)
    return BranchDeletedEvent(repository, body.ref) if repository else no_installation(name)


def gone_repository(name: str, action: str, payload: bytes) -> Event:
    """Read that a repository was archived or deleted."""
    repository = repository_of(read(payload, shapes.Scoped))
    return RepositoryGoneEvent(repository, action) if repository else no_installation(name)
