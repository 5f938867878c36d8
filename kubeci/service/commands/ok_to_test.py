"""`/kube-ci ok-to-test`: let the automatic build of a pull request's head happen that trust withheld (docs/commands.md)."""

from __future__ import annotations

from dataclasses import replace

from kubeci.model.build import Build, BuildRequest, BuildState
from kubeci.model.repository import Commit, RefType
from kubeci.model.trust import What
from kubeci.report import errors as content
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked
from kubeci.service.commands.head import SHORT, named_sha, why_not
from kubeci.service.identity import automatic_build_id, refusal_id
from kubeci.service.rooms import Rooms
from kubeci.service.submit import NO_DEFINITION, Submitter
from kubeci.service.unbegun import is_undefined, is_unmade

PULL_REQUESTS_ONLY = "ok-to-test is only valid on PR comments"


async def ok_to_test(asked: Asked, rooms: Rooms, submitter: Submitter) -> Answer:
    """Build the commit that the comment saw as an event would build it, but for who may have it built.

    The rules for branches, drafts, commit messages and paths hold, and the build is the commit's automatic one: it happens
    once, whoever says ok, and a later push asks again.
    """
    if not asked.post.on_pull_request:
        return refused(PULL_REQUESTS_ONLY)
    sha = named_sha(asked)
    if isinstance(sha, Answer):
        return sha
    pull = await rooms.github.pull_requests.read(asked.repository, asked.post.number)
    request = automatic(asked.request(pull))
    if begun := await _begun(asked, rooms):  # whatever was pushed since
        request = automatic(replace(request, commit=begun.commit, ref=begun.ref))
    elif refusal := await why_not(pull, sha, asked, rooms):
        return refused(refusal)
    elif built := await _built(request.commit, rooms):
        return _already(built)
    told = await submitter.submit(request, asked.now, last_attempt=asked.last_attempt)
    build = await rooms.builds.get(request.id)
    if build and is_undefined(build):
        return refused(await _broken(build, request, rooms))
    return _answer(build, told)


def automatic(request: BuildRequest) -> BuildRequest:
    """Give the automatic build of a request's commit, which the one who asked answers for."""
    return replace(request, id=automatic_build_id(request.commit, request.ref), automatic=True)


async def _begun(asked: Asked, rooms: Rooms) -> Build | None:
    """Find what an earlier try for the same comment began and did not end."""
    mine = (each for each in await rooms.builds.unfinished() if each.delivery_id == asked.delivery_id)
    return next((each for each in mine if each.id == automatic_build_id(each.commit, each.ref)), None)


async def _built(commit: Commit, rooms: Rooms) -> Build | None:
    """Find the newest build of a commit that makes the automatic one needless, as `Builds.is_built` counts them."""
    needless = [
        each
        for each in await rooms.builds.all_of_commit(commit)
        if each.check_run_id
        and each.ref.type is RefType.BRANCH
        and each.id != refusal_id(commit)
        and not is_unmade(each)
        and each.state not in {BuildState.SKIPPED, BuildState.LOST, BuildState.OFFERED}
        and each.what is not What.API
        and not each.deployment_id
    ]
    return needless[-1] if needless else None


def _already(build: Build) -> Answer:
    name, sha = code(build.check_name), code(build.commit.sha[:SHORT])
    if build.state is BuildState.FINISHED and not build.workflow_uid:
        ended = f"{name} of {sha} ended without a workflow: {build.conclusion or 'ended'}"
        return refused(f"{ended}. {code('/kube-ci run')} builds it")
    if build.state is BuildState.FINISHED:
        ended = f"{name} was built for {sha} already: {build.conclusion or 'ended'}"
        return Answer(f"{ended}. {code('/kube-ci run')} builds it once more")
    return Answer(f"{name} runs for {sha} already")


def _answer(build: Build | None, told: str) -> Answer:
    if build and build.state is BuildState.SKIPPED:
        return Answer(code(told, 500))
    if build and build.workflow_uid and build.state is not BuildState.SUBMITTING:
        return Answer(f"{code(build.check_name)} runs for {code(build.commit.sha[:SHORT])}", shown=True)
    if build and is_unmade(build):
        return refused(f"{code(told, 500)}; write the command again when that is mended")
    if told == NO_DEFINITION:
        return refused(code(told))
    return refused(
        f"{code(told, 500)}; {code('/kube-ci run')} builds it whatever branches, drafts and paths say"
    )


async def _broken(build: Build, request: BuildRequest, rooms: Rooms) -> str:
    """Say what is wrong with the definition that a build was to have, and where it is mended."""
    check = (await rooms.builds.outcome(build.id)).check
    why = code(content.why_of(check), 500) if check else "its check-run says why"
    pull = request.pull_request
    theirs = pull and build.head_repository and rooms.config.definition_from_base
    where = f"The definition of {code(pull.base_ref if pull and theirs else build.commit.sha[:SHORT])}"
    if check and check.summary.startswith(content.NOT_ALLOWED):
        return f"{where} cannot be used for this commit: {why}"
    if theirs:
        return f"{where} is broken: {why}; mend it there, then write the command again"
    return f"{where} is broken: {why}; mend it and push"
