"""`/kube-ci run`: build the head of a pull request, the way to build a fork's (contract, section 8)."""

from __future__ import annotations

from dataclasses import replace

from kubeci.model.build import Build, BuildState
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked
from kubeci.service.commands.head import SHORT, named_sha, why_not
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter

PULL_REQUESTS_ONLY = "run is only valid on PR comments"


async def run(asked: Asked, rooms: Rooms, submitter: Submitter) -> Answer:
    """Build exactly the commit that the comment saw, or the one that it names."""
    if not asked.post.on_pull_request:
        return refused(PULL_REQUESTS_ONLY)
    sha = named_sha(asked)
    if isinstance(sha, Answer):
        return sha
    pull = await rooms.github.pull_requests.read(asked.repository, asked.post.number)
    request = asked.request(pull)
    known = await rooms.builds.get(request.id)
    if known:  # the same comment once more: what was begun goes on, whatever was pushed since
        request = replace(request, commit=known.commit)
    elif refusal := await why_not(pull, sha, asked, rooms):
        return refused(refusal)
    told = await submitter.submit(request, asked.now, last_attempt=asked.last_attempt)
    return _answer(await rooms.builds.get(request.id), told)


def _answer(build: Build | None, told: str) -> Answer:
    if build is None or build.state in {BuildState.SUBMITTING, BuildState.SKIPPED} or not build.workflow_uid:
        return refused(code(told, 500))
    return Answer(f"{code(build.check_name)} runs for {code(build.commit.sha[:SHORT])}", shown=True)
