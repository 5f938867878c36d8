"""Clear the caches of what GitHub says is gone, unless it is there: an event may come days late, after a later one."""

from __future__ import annotations

from kubeci.errors import Forbidden, NotFound
from kubeci.model.event import BranchDeletedEvent, RepositoryGoneEvent
from kubeci.service.caches import NO_CACHE, clear_branch, clear_repository, has_caches
from kubeci.service.rooms import Rooms


async def branch_gone(event: BranchDeletedEvent, rooms: Rooms) -> str:
    """Clear the caches of a branch that was deleted; gives what came of it."""
    if not event.branch or not await has_caches(event.repository, event.branch, rooms):
        return NO_CACHE
    try:
        await rooms.github.commits.resolve(event.repository, f"heads/{event.branch}")
    except NotFound:
        gone = f"the branch {event.branch} was deleted"
        return await clear_branch(event.repository, event.branch, rooms, gone=gone)
    return f"the branch {event.branch} is there again, so that its caches stay"


async def repository_gone(event: RepositoryGoneEvent, rooms: Rooms) -> str:
    """Clear the caches of a repository that was archived or deleted; gives what came of it."""
    if not await has_caches(event.repository, None, rooms):
        return NO_CACHE
    if await _is_used(event, rooms):
        return f"the repository is not {event.action} any more, so that its caches stay"
    return await clear_repository(event.repository, rooms, gone=f"the repository was {event.action}")


async def _is_used(event: RepositoryGoneEvent, rooms: Rooms) -> bool:
    try:
        return not (await rooms.github.repositories.read(event.repository)).get("archived")
    except (NotFound, Forbidden):
        # Of a repository that is gone GitHub gives no token.
        if event.action == "deleted":
            return False
        raise
