"""A check-run's content, in GitHub's own words (docs.github.com/rest/checks/runs)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Status(StrEnum):
    """How far a check-run is."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class Conclusion(StrEnum):
    """How a completed check-run ended; success, neutral and skipped pass a required check."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"


Level = Literal["notice", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on one line of a file of the repository; `line` counts from 1."""

    path: str
    line: int
    level: Level
    message: str


@dataclass(frozen=True, slots=True)
class Action:
    """A button on a check-run: label up to 20, description up to 40, identifier up to 20 characters."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """All that a check-run shows, beside its annotations.

    `summary` and `text` are Markdown of at most 65,535 bytes each. `conclusion` is given exactly when completed.
    """

    name: str
    status: Status
    title: str
    summary: str
    conclusion: Conclusion | None = None
    text: str = ""
    details_url: str = ""
    external_id: str = ""
    actions: tuple[Action, ...] = ()
