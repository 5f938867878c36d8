"""GitHub deployments, in GitHub's own words (docs.github.com/rest/deployments)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kubeci.model.json import JsonObject


class DeploymentState(StrEnum):
    """How far a deployment is; GitHub knows more of these, which nothing of ours becomes."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment to create; `ref` is a branch, a tag or a sha, `task` the template's name."""

    ref: str
    task: str
    environment: str
    payload: JsonObject
    production: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """A status of a deployment; addresses are empty where there are none, the description has at most 140 characters."""

    state: DeploymentState
    log_url: str = ""
    environment_url: str = ""
    description: str = ""
