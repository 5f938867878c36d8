"""Where people beyond GitHub are told."""

from __future__ import annotations

from typing import Protocol

from kubeci.model.build import Build
from kubeci.model.check_run import CheckRun
from kubeci.model.deployment import DeploymentState


class Announcer(Protocol):
    """Tells people beyond GitHub of what ended; both return at once, and what cannot be told is dropped."""

    def build_ended(self, build: Build, check: CheckRun, previous: Build | None) -> None:
        """Tell of a build of the default branch; `previous` is the newest earlier one of its name that succeeded or failed."""

    def deployment_ended(self, build: Build, environment: str, state: DeploymentState, url: str) -> None:
        """Tell of a deployment; `url` is where it is seen."""
