"""What the use cases work with: the ports, the configuration and the clock, built once by `kubeci.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kubeci.definition.sandbox import Sandbox
from kubeci.ports import (
    Announcer,
    Builds,
    Checks,
    Claims,
    Commits,
    Contents,
    Conversation,
    Deployments,
    LogArchive,
    People,
    PodLogs,
    PullRequests,
    Repositories,
    Retries,
    Workflows,
)
from kubeci.service.exclusive import Exclusive
from kubeci.service.node_logs import NodeLogs
from kubeci.service.watched import Watched
from kubeci.settings.config import Config


@dataclass(frozen=True, slots=True)
class GitHubRooms:
    """GitHub as the use cases see it."""

    commits: Commits
    checks: Checks
    people: People
    repositories: Repositories
    pull_requests: PullRequests
    conversation: Conversation
    contents: Contents
    deployments: Deployments


@dataclass(frozen=True, slots=True)
class ClusterRooms:
    """The cluster as the use cases see it."""

    workflows: Workflows
    pod_logs: PodLogs
    claims: Claims
    retries: Retries | None = None
    """argo-server; None: there is none."""
    archive: LogArchive | None = None
    """argo-server likewise."""

    @property
    def logs(self) -> NodeLogs:
        """Give the logs of nodes, wherever they are."""
        return NodeLogs(self.pod_logs, self.archive)


@dataclass(frozen=True, slots=True)
class Rooms:
    """The other rooms as the use cases see them."""

    github: GitHubRooms
    cluster: ClusterRooms
    builds: Builds
    sandbox: Sandbox
    config: Config
    argo_ui: str
    """Address of the Argo UI, without a slash at the end."""
    clock: Callable[[], datetime]
    """The time now, in UTC."""
    nonce: Callable[[], str]
    """Gives what nobody can guess, another one each time."""
    watched: Watched = field(default_factory=Watched)
    """Whether the changes of workflows reach us."""
    exclusive: Exclusive = field(default_factory=Exclusive)
    """Keeps workers and replicas from doing the same thing at the same moment."""
    news: Announcer | None = None
    """Tells channels of what ended; None: there are none."""
