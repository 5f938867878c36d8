"""What the use cases work with: the ports, the configuration and the clock, built once by `kubeci.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kubeci.definition.sandbox import Sandbox
from kubeci.ports import Builds, Checks, Commits, People, PodLogs, Workflows
from kubeci.settings.config import Config


@dataclass(frozen=True, slots=True)
class Rooms:
    """The other rooms as the use cases see them."""

    commits: Commits
    checks: Checks
    people: People
    workflows: Workflows
    pod_logs: PodLogs
    builds: Builds
    sandbox: Sandbox
    config: Config
    argo_ui: str
    """Address of the Argo UI, without a slash at the end."""
    clock: Callable[[], datetime]
    """The time now, in UTC."""
    nonce: Callable[[], str]
    """Gives what nobody can guess, another one each time."""
