"""`/kube-ci cancel`: stop the running builds of a pull request."""

from __future__ import annotations

from kubeci.errors import NotFound
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
    by = f"{asked.event.author.login} (comment {asked.post.comment_id})"
    told = [await _cancel(build, by, rooms) for build in running]
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
    return list(builds.values())


async def _cancel(build: Build, by: str, rooms: Rooms) -> str:
    if build.stopped == f"cancelled by {by}" and build.workflow_uid:
        # The same comment once more, since an earlier try came to an end: that is no second wish.
        try:
            await rooms.cluster.workflows.stop(build.namespace, build.workflow_name)
        except NotFound:
            return f"the workflow {build.workflow_name} is gone already"
        return f"{build.check_name} is being stopped"
    return await cancel(build, by, rooms)
