"""The narrow interfaces that the use cases need; adapters fulfil them, one verb group each.

Errors of every port are those of `kubeci.errors`: `NotFound`, `Conflict`, `Invalid`, `Forbidden`, `RateLimited`,
or a plain `UpstreamError` that says whether trying again can help.
"""

from __future__ import annotations

from kubeci.ports.cluster import Claims, LeaderLease, LogArchive, PodLogs, Retries, WorkflowFeed, Workflows
from kubeci.ports.github import (
    Checks,
    Commits,
    Contents,
    Conversation,
    Deployments,
    Heads,
    HookDeliveries,
    People,
    PullRequests,
    Repositories,
)
from kubeci.ports.modules import RepositoryFiles, WebFiles
from kubeci.ports.news import Announcer
from kubeci.ports.store import Builds, Inbox, Locks, Marks, Traces

__all__ = [
    "Announcer",
    "Builds",
    "Checks",
    "Claims",
    "Commits",
    "Contents",
    "Conversation",
    "Deployments",
    "Heads",
    "HookDeliveries",
    "Inbox",
    "LeaderLease",
    "Locks",
    "LogArchive",
    "Marks",
    "People",
    "PodLogs",
    "PullRequests",
    "Repositories",
    "RepositoryFiles",
    "Retries",
    "Traces",
    "WebFiles",
    "WorkflowFeed",
    "Workflows",
]
