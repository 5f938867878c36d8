"""End the running builds of a pull request that was closed."""

from __future__ import annotations

from kubeci.errors import NotFound
from kubeci.model.trust import What
from kubeci.service.caches import clear_branch, has_caches
from kubeci.service.rooms import Rooms
from kubeci.service.supersede import stop_or_say
from kubeci.service.unbegun import end_unbegun
from kubeci.service.wish import StopRequest

CLOSED = "pull request "
"""How the reason begins for which a closed pull request's builds were stopped."""


async def stop_pull_request(wish: StopRequest, rooms: Rooms) -> str:
    """Stop what is built for a pull request's branch alone; the reconciler concludes the check-runs.

    What the repository needs without the pull request goes on: tags, deployments, a branch that is built by itself, a
    commit that was merged as it is, or that heads another open pull request. Gives what came of it.
    """
    reason = f"{CLOSED}#{wish.number} was closed"
    branch = await rooms.builds.unfinished_of_branch(wish.head.repository, wish.branch, wish.fork)
    by_itself = not wish.fork and rooms.config.build_branches.search(wish.branch)
    running = [build for build in branch if not build.deployment_id]
    if by_itself:
        # Whoever opens a pull request from such a branch must not be able to stop what it is built for.
        begun = What.PULL_REQUEST, wish.number
        running = [build for build in running if (build.what, build.pull_request) == begun]
    cached = bool(wish.fork) and await has_caches(wish.head.repository, wish.branch, rooms, fork=wish.fork)
    if (running or cached) and await _is_open(wish, rooms):
        return f"{reason}, and is open again: nothing is stopped"
    if not running:
        # GitHub tells nothing of a fork's branches, so this is the last that is heard of its cache.
        gone = await clear_branch(wish.head.repository, wish.branch, rooms, fork=wish.fork) if cached else ""
        return f"{reason}: nothing is running for it alone" + (f"; {gone}" if gone else "")
    if wish.merge_sha == wish.head.sha:
        return f"{reason}: it was merged as it is, so that its builds are the base branch's"
    source = await rooms.github.commits.read(wish.head, rooms.config.ci_context_path)
    if any(pull.number != wish.number for pull in source.pull_requests):
        return f"{reason}: its commit heads another one"
    unstopped: list[str] = []
    # Those that wait come first: to stop the others takes a cluster that answers.
    for build in sorted(running, key=lambda each: bool(each.workflow_uid)):
        if await end_unbegun(await rooms.builds.change(build.id, stopped=reason), rooms):
            continue
        unstopped += await stop_or_say(build, rooms.cluster.workflows)
    return f"{reason}: {len(running) - len(unstopped)} builds stopped" + "".join(
        f"; {why}" for why in unstopped
    )


async def _is_open(wish: StopRequest, rooms: Rooms) -> bool:
    """Say whether a pull request is open by now: that it was closed may be told days late."""
    try:
        return (await rooms.github.pull_requests.read(wish.head.repository, wish.number)).open
    except NotFound:
        return False
