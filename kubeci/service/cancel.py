"""Stop a running build because somebody says so."""

from __future__ import annotations

from kubeci.errors import Forbidden, NotFound
from kubeci.model.build import Build, BuildState
from kubeci.service.rooms import Rooms
from kubeci.service.unbegun import end_unbegun

UNDER_WAY = frozenset({BuildState.SUBMITTING, BuildState.RUNNING})


async def cancel(build: Build, by: str, wish: str, rooms: Rooms) -> str:
    """Stop a build's workflow; one that is being stopped already is terminated. Gives what came of it in a sentence.

    Exit handlers run at the first time, not at the second (contract, section 6). `wish` is the same whenever one wish is
    handled again, which is no second time. The reconciler concludes the check-run when the workflow has ended. A build
    that waits for its workflow is concluded here; one that is about to get it is stopped then. Raises `UpstreamError`; where it is `Forbidden`, nothing was done.
    """
    if build.state not in UNDER_WAY:
        return f"{build.check_name} has ended already"
    again = bool(build.stopped or build.superseded_by) and build.stop_wish != wish
    before = build
    if not again:
        build = await rooms.builds.change(build.id, stopped=f"cancelled by {by}", stop_wish=wish)
    if await end_unbegun(build, rooms):
        return f"{build.check_name} was cancelled before it began"
    if not build.workflow_uid:
        return f"{build.check_name} is stopped as soon as it has begun"
    try:
        await rooms.cluster.workflows.stop(build.namespace, build.workflow_name, terminate=again)
    except NotFound:
        return f"the workflow {build.workflow_name} is gone already"
    except Forbidden:
        await rooms.builds.change(build.id, stopped=before.stopped, stop_wish=before.stop_wish)
        raise
    return f"{build.check_name} is being {'terminated' if again else 'stopped'}"
