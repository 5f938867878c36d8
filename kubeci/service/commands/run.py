"""`/kube-ci run`: build the head of a pull request, the way to build a fork's (contract, section 8)."""

from __future__ import annotations

import re
from dataclasses import replace

from kubeci.model.build import Build, BuildState
from kubeci.model.conversation import PullRequestHead
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked, unseen
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter

PULL_REQUESTS_ONLY = "run is only valid on PR comments"
_SHA = re.compile(r"[0-9a-f]{7,64}")
_SHORT = 7


async def run(asked: Asked, rooms: Rooms, submitter: Submitter) -> Answer:
    """Build exactly the commit that the comment saw, or the one that it names.

    A fork's head may be pushed to at any moment: where the pull request has changed since the comment, only a whole sha
    says which commit was looked at. A few of its digits can be had for any content.
    """
    if not asked.post.on_pull_request:
        return refused(PULL_REQUESTS_ONLY)
    sha = asked.command.args[0].lower() if asked.command.args else ""
    if len(asked.command.args) > 1 or (sha and not _SHA.fullmatch(sha)):
        return refused(f"write `/kube-ci run`, or the sha of the head after it, at least {_SHORT} digits")
    pull = await rooms.github.pull_requests.read(asked.repository, asked.post.number)
    request = asked.request(pull)
    known = await rooms.builds.get(request.id)
    if known:  # the same comment once more: what was begun goes on, whatever was pushed since
        request = replace(request, commit=known.commit)
    elif refusal := await _refusal(pull, sha, asked, rooms):
        return refused(refusal)
    told = await submitter.submit(request, asked.now, last_attempt=asked.last_attempt)
    return _answer(await rooms.builds.get(request.id), told)


async def _refusal(pull: PullRequestHead, sha: str, asked: Asked, rooms: Rooms) -> str:
    if not pull.open:
        return "the pull request is closed"
    if not pull.head_sha.startswith(sha):
        return f"the head is not {code(sha)}; {_way_out(pull)}"
    if sha != pull.head_sha and await unseen(pull, asked, rooms.builds):
        return f"the head may be newer than this comment; {_way_out(pull)}"
    return ""


def _way_out(pull: PullRequestHead) -> str:
    return f"look at {code(pull.head_sha[:_SHORT])} and write {code(f'/kube-ci run {pull.head_sha}')}"


def _answer(build: Build | None, told: str) -> Answer:
    if build is None or build.state in {BuildState.SUBMITTING, BuildState.SKIPPED} or not build.workflow_uid:
        return refused(code(told, 500))
    return Answer(f"{code(build.check_name)} runs for {code(build.commit.sha[:_SHORT])}", shown=True)
