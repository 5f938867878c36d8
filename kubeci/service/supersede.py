"""Let the newest build of a branch and entrypoint stop the older ones (contract, section 6)."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from kubeci.errors import Forbidden, NotFound
from kubeci.model.build import Build, BuildState
from kubeci.model.repository import RefType
from kubeci.model.trace import StepKind
from kubeci.model.trust import What
from kubeci.ports import Workflows
from kubeci.service.rooms import Rooms
from kubeci.service.unbegun import end_unbegun
from kubeci.tracing import note

OF_THEMSELVES = frozenset({What.PUSH, What.PULL_REQUEST, What.FORK})

log = structlog.get_logger(__name__)


async def supersede(build: Build, rooms: Rooms) -> tuple[str, ...]:
    """Stop every unfinished build of the same repository, ref and entrypoint but the one that stands, which may not be `build`.

    Exit handlers run. The check-runs are concluded by the reconciler, which sees each workflow change; one that has no
    workflow yet is concluded here. Gives which may not be stopped, and why; those go on.
    """
    unstopped: list[str] = []
    rivals = await rooms.builds.unfinished_of(build)
    # One that another build superseded was stopped by it, unless that one is still about it.
    about_it = {rival.id for rival in rivals if rival.state is BuildState.SUBMITTING}
    standing = await _standing(rivals, rooms)
    for older in rivals:
        if older.id == standing or (older.superseded_by and older.superseded_by not in about_it):
            continue
        now = await rooms.builds.change(older.id, superseded_by=standing)
        note(
            StepKind.DECIDED,
            f"supersedes {older.workflow_name} of {older.commit.sha[:12]}: a newer build is there",
        )
        if now.workflow_uid:
            unstopped += await stop_or_say(now, rooms.cluster.workflows)
        else:
            await end_unbegun(now, rooms)
    return tuple(unstopped)


async def _standing(rivals: Sequence[Build], rooms: Rooms) -> str:
    """Give the id of the build that stands: the newest, unless its event came late and an older one is of the branch's head.

    What was missed comes after what was not. Whoever asked for a build by hand means it.
    """
    if not rivals:
        return ""
    newest = rivals[-1]
    of_branch = newest.ref.type is RefType.BRANCH and newest.ref.name
    alone = all(each.commit.sha == newest.commit.sha for each in rivals)
    if alone or not of_branch or newest.what not in OF_THEMSELVES:
        return newest.id
    try:
        head = await _head(newest, rooms)
    except NotFound:
        return newest.id
    return next((each.id for each in reversed(rivals) if each.commit.sha == head), newest.id)


async def _head(build: Build, rooms: Rooms) -> str:
    """Give the commit that a build's branch stands at; that of a fork, which we may not read, by its pull request."""
    repository = build.commit.repository
    if not build.head_repository:
        return await rooms.github.commits.resolve(repository, f"heads/{build.ref.name}")
    if not build.pull_request:
        return build.commit.sha
    return (await rooms.github.pull_requests.read(repository, build.pull_request)).head_sha


async def stop_or_say(build: Build, workflows: Workflows) -> list[str]:
    """Stop a build's workflow if there is one; gives why it goes on, where the server may not stop it."""
    try:
        await workflows.stop(build.namespace, build.workflow_name)
    except NotFound:
        return []
    except Forbidden as error:
        log.warning("a build that is not needed goes on", workflow=build.workflow_name, error=str(error))
        return [f"{build.workflow_name} is not needed and goes on: {error.public}"]
    return []
