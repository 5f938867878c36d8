"""`/kube-ci retry`: run what failed on a pull request's head once more."""

from __future__ import annotations

from kubeci.model.build import Build, BuildRequest, DeploymentRequest
from kubeci.model.check_run import Conclusion
from kubeci.model.conversation import PullRequestHead
from kubeci.model.repository import RefType
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.cancel import UNDER_WAY
from kubeci.service.commands.asked import Asked
from kubeci.service.commands.seen import unseen
from kubeci.service.retry import Retrier
from kubeci.service.rooms import Rooms

PULL_REQUESTS_ONLY = "retry is only valid on PR comments"
FAILED = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT})


async def retry(asked: Asked, rooms: Rooms, retrier: Retrier) -> Answer:
    """Retry the newest build of each check name on the head commit, where it failed."""
    if not asked.post.on_pull_request:
        return refused(PULL_REQUESTS_ONLY)
    pull = await rooms.github.pull_requests.read(asked.repository, asked.post.number)
    if not pull.open:
        return refused("the pull request is closed")
    if await unseen(pull, asked, rooms.builds, rooms.github.checks):
        way_out = code(f"/kube-ci run {pull.head_sha}")
        return refused(f"the head may be newer than this comment; {way_out} builds it")
    first = asked.request(pull)
    builds = await rooms.builds.all_of_commit(first.commit)
    mine = [
        each
        for each in builds
        if each.ref.type is RefType.BRANCH and each.head_repository == first.head_repository
    ]
    begun = {asked.request(pull, each.id).id for each in mine}  # by an earlier try for this comment
    newest = {(each.check_name, each.environment): each for each in mine if each.id not in begun}
    failed = [each for each in newest.values() if each.conclusion in FAILED]
    again = [each for each in newest.values() if each.former_conclusion in FAILED and each.state in UNDER_WAY]
    if not failed and again:
        return Answer("; ".join(code(f"{each.check_name} is running again") for each in again), shown=True)
    if not failed:
        return refused(f"nothing has failed on {code(pull.head_sha[:7])}")
    told = [
        await retrier.retry(each, _request(each, pull, asked), asked.now, last_attempt=asked.last_attempt)
        for each in failed
    ]
    return Answer("; ".join(code(each) for each in told), shown=True)


def _request(build: Build, pull: PullRequestHead, asked: Asked) -> BuildRequest:
    deployment = DeploymentRequest(build.deployment_id, build.environment) if build.deployment_id else None
    return asked.request(
        pull,
        build.id,
        commit=build.commit,
        ref=build.ref,
        entrypoint=build.entrypoint,
        deployment=deployment,
        of_build=build.id,
    )
