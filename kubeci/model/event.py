"""GitHub's events, reduced to the fields that decide what happens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kubeci.model.json import JsonObject
from kubeci.model.repository import Repository


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request as it was received and stored, its signature already verified."""

    id: str
    event: str
    payload: bytes
    """The JSON document, UTF-8."""
    received_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class CheckSuiteEvent:
    """`check_suite` requested or rerequested."""

    repository: Repository
    action: str
    app_id: int
    head_sha: str
    head_branch: str
    """Empty for commits of forks, where GitHub sends null."""
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CheckRunEvent:
    """`check_run` rerequested."""

    repository: Repository
    action: str
    app_id: int
    check_run_id: int
    external_id: str
    head_sha: str
    head_branch: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class TagCreatedEvent:
    """`create` of a tag; GitHub names the tag, not its commit."""

    repository: Repository
    tag: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """An event that asks nothing of us; `reason` names it and says why."""

    reason: str


Event: TypeAlias = CheckSuiteEvent | CheckRunEvent | TagCreatedEvent | IgnoredEvent
