"""The comparison of two refs behind the GraphQL type; fields by GitHub's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeci.local.github.changes import commits_between
from kubeci.local.github.history import merge_base
from kubeci.local.github.payloads import node_id
from kubeci.local.github.state import Repository
from kubeci.model.json import JsonObject

if TYPE_CHECKING:
    from kubeci.local.github.graphql_types import Session

_STATUS = {(True, True): "DIVERGED", (True, False): "AHEAD", (False, True): "BEHIND"}


async def compared(session: Session, repository: Repository, base: str, head: str) -> JsonObject | None:
    """Compare a ref with another one; null when there is no such ref, or no common history."""
    objects, path = await session.objects(repository), repository.path
    commits = [await objects.peel(name) for name in (base, head)]
    if None in commits or await merge_base(path, base, head) is None:
        return None
    ahead = len(await commits_between(path, base, head))
    behind = len(await commits_between(path, head, base))
    return {
        "id": node_id("Comparison", f"{repository.id}:{base}...{head}"),
        "aheadBy": ahead,
        "behindBy": behind,
        "baseTarget": await session.node(repository, base),
        "headTarget": await session.node(repository, head),
        "status": _STATUS.get((ahead > 0, behind > 0), "IDENTICAL"),
    }
