"""Where a commit comes from: a branch or tag of the repository itself, or a fork."""

from __future__ import annotations

from dataclasses import replace

from kubeci.errors import NotFound
from kubeci.model.build import BuildRequest
from kubeci.model.repository import RefType
from kubeci.model.source import CommitSource
from kubeci.ports import Builds, Commits


async def stands(request: BuildRequest, commits: Commits) -> bool:
    """Say whether the ref of a request is this repository's, and stands at its commit: then whoever may write put it there."""
    if not request.ref.name:
        return False
    folder = "tags" if request.ref.type is RefType.TAG else "heads"
    try:
        at = await commits.resolve(request.commit.repository, f"{folder}/{request.ref.name}")
    except NotFound:
        return False
    return at == request.commit.sha


async def remembered(request: BuildRequest, builds: Builds, commits: Commits) -> BuildRequest:
    """Add to a request that names no fork the one that our records know of.

    A commit stays a stranger's when its pull request is closed, until a branch or tag of the repository stands at it.
    """
    if request.automatic or request.head_repository:
        return request
    known = await builds.all_of_commit(request.commit)
    forks = [build.head_repository for build in known if build.head_repository]
    if not forks or await stands(request, commits):
        return request
    return replace(request, head_repository=forks[-1])


def without_foreign(source: CommitSource, here: str) -> CommitSource:
    """Leave out the pull requests that forks have opened with a commit of the repository `owner/name`: anybody can."""
    own = [pull for pull in source.pull_requests if pull.head_repository.lower() == here.lower()]
    return replace(source, pull_requests=tuple(own))
