"""`/kube-ci cancel`: stop the running builds of a pull request."""

from __future__ import annotations

from kubeci.model.build import Build
from kubeci.model.repository import Commit, RefType
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.cancel import UNDER_WAY, cancel
from kubeci.service.commands.asked import Asked, fork_of
from kubeci.service.rooms import Rooms

PULL_REQUESTS_ONLY = "cancel is only valid on PR comments"


async def cancel_all(asked: Asked, rooms: Rooms) -> Answer:
    """Stop what runs for the head branch of a pull request; what an earlier comment stopped is terminated."""
    if not asked.post.on_pull_request:
        return refused(PULL_REQUESTS_ONLY)
    running = await _running(asked, rooms)
    if not running:
        return refused("nothing is running for this pull request")
    told = [await cancel(build, asked.event.author.login, asked.wish, rooms) for build in running]
    return Answer("; ".join(code(each) for each in told), shown=True)


async def _running(asked: Asked, rooms: Rooms) -> list[Build]:
    pull = await rooms.github.pull_requests.read(asked.repository, asked.post.number)
    fork = fork_of(pull, asked.repository)
    of_branch = await rooms.builds.unfinished_of_branch(asked.repository, pull.head_ref, fork)
    of_head = await rooms.builds.all_of_commit(Commit(asked.repository, pull.head_sha))
    # GitHub names no branch for a fork's commit in some events.
    nameless = [
        each
        for each in of_head
        if each.ref.type is RefType.BRANCH and not each.ref.name and each.head_repository == fork
    ]
    builds = {each.id: each for each in (*of_branch, *nameless) if each.state in UNDER_WAY}
    # A comment that is handled again must not stop what came since, nor what another of its lines began.
    return [each for each in builds.values() if each.created_at < asked.now]
