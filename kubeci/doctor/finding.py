"""What was found at one thing that must be right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARNING = "warning"
    """Builds run, but something does not work, or will not for long."""
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It was not looked at, or could not be; what was found says why."""


class Group(StrEnum):
    """What a finding is about; in the order in which findings are shown."""

    SETTINGS = "settings"
    APP = "GitHub App"
    INSTALLATIONS = "installations"
    WEBHOOK = "webhook"
    CLUSTER = "cluster"
    ARGO = "Argo"
    RIGHTS = "rights"
    STORAGE = "storage"
    ARGO_SERVER = "argo-server"
    SLACK = "Slack"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands.

    `found` is what there is; `why` the feature that it carries, or what comes of it; `remedy` says in words what mends
    it, with an address where that is a click away; `command` is one for a shell. No text holds a secret.
    """

    group: Group
    name: str
    state: State
    found: str
    why: str = ""
    remedy: str = ""
    command: str = ""
