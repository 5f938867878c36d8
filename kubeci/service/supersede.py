"""Let the newest build of a branch and entrypoint stop the older ones (contract, section 6)."""

from __future__ import annotations

import structlog

from kubeci.errors import Forbidden, NotFound
from kubeci.model.build import Build, BuildState
from kubeci.model.trace import StepKind
from kubeci.ports import Workflows
from kubeci.service.rooms import Rooms
from kubeci.service.unbegun import end_unbegun
from kubeci.tracing import note

log = structlog.get_logger(__name__)


async def supersede(build: Build, rooms: Rooms) -> tuple[str, ...]:
    """Stop every unfinished build of the same repository, ref and entrypoint but the newest, which may not be `build`.

    Exit handlers run. The check-runs are concluded by the reconciler, which sees each workflow change; one that has no
    workflow yet is concluded here. Gives which may not be stopped, and why; those go on.
    """
    unstopped: list[str] = []
    rivals = await rooms.builds.unfinished_of(build)
    # One that another build superseded was stopped by it, unless that one is still about it.
    about_it = {rival.id for rival in rivals if rival.state is BuildState.SUBMITTING}
    for older in rivals[:-1]:
        if older.superseded_by and older.superseded_by not in about_it:
            continue
        now = await rooms.builds.change(older.id, superseded_by=rivals[-1].id)
        note(
            StepKind.DECIDED,
            f"supersedes {older.workflow_name} of {older.commit.sha[:12]}: a newer build is there",
        )
        if now.workflow_uid:
            unstopped += await stop_or_say(now, rooms.cluster.workflows)
        else:
            await end_unbegun(now, rooms)
    return tuple(unstopped)


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
