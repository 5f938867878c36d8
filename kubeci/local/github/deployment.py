"""Deployments, and what became of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubeci.local.github import git
from kubeci.local.github.state import Account, Repository, State

DESCRIPTION_LIMIT = 140  # characters: docs.github.com, "REST API endpoints for deployment statuses"
_SHA = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants deployed: `ref` is a branch, tag or sha, `production` None follows the environment's name."""

    ref: str
    task: str = "deploy"
    environment: str = "production"
    payload: Any = None
    description: str | None = None
    transient: bool = False
    production: bool | None = None


@dataclass(frozen=True, slots=True)
class DeploymentStatus:
    """One entry of a deployment's history."""

    id: int
    state: str
    creator: Account
    created_at: datetime
    environment: str
    description: str = ""
    log_url: str = ""
    environment_url: str = ""


@dataclass(slots=True)
class Deployment:
    """A deployment; `environment` follows its newest status, `wish.environment` is the original one."""

    id: int
    repository: Repository
    wish: Wish
    sha: str
    creator: Account
    created_at: datetime
    updated_at: datetime
    environment: str
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Give the newest status's state, empty before there is one."""
        return self.statuses[-1].state if self.statuses else ""

    @property
    def production(self) -> bool:
        """Say whether people use the environment."""
        named = self.wish.production
        return self.wish.environment == "production" if named is None else named


async def find_ref(repository: Repository, ref: str) -> str | None:
    """Find the commit of a branch, a tag or a sha, in this order; None when there is none."""
    known = await git.refs(repository.path)
    names = (f"refs/heads/{ref}", f"refs/tags/{ref}", ref)
    named = next((name for name in names if name in known), None)
    if named is None and not _SHA.fullmatch(ref):
        return None
    async with git.objects(repository.path) as objects:
        found = await objects.peel(named or ref)
    return None if found is None else found.oid


def deployments_of(state: State, repository: Repository) -> list[Deployment]:
    """List a repository's deployments, newest first."""
    return [each for each in reversed(state.deployments.values()) if each.repository is repository]
