"""End builds that are not wanted any more before they have a workflow."""

from __future__ import annotations

import structlog

from kubeci.errors import UpstreamError
from kubeci.model.build import Build, BuildState
from kubeci.report.check_run import report
from kubeci.report.markdown import code
from kubeci.service.check_runs import CheckRuns
from kubeci.service.deployments import DeploymentReports
from kubeci.service.rooms import Rooms
from kubeci.service.subject import subject_of
from kubeci.workflow.status import read_state

log = structlog.get_logger(__name__)


def is_unwanted(build: Build) -> bool:
    """Say whether somebody stopped a build, or a newer one took its place."""
    return bool(build.stopped or build.superseded_by)


async def end_unbegun(build: Build, rooms: Rooms) -> bool:
    """Conclude an unwanted build as cancelled if it waits for its workflow; False: it has one, or is about to get it.

    Its record must say already that it is unwanted: whoever creates the workflow reads that just before and after.
    """
    waits = build.state is BuildState.SUBMITTING and build.check_run_id and not build.workflow_uid
    if not waits or build.id in rooms.creating:
        return False
    try:
        await conclude_unbegun(build, rooms)
    except UpstreamError as error:
        if error.retryable:
            raise
        log.warning("a check-run could not be concluded", build=build.id, error=str(error))
    return True


async def conclude_unbegun(build: Build, rooms: Rooms) -> None:
    """Conclude the check-run of an unwanted build that has no workflow, and tell the deployment that asked for it."""
    if build.state is not BuildState.SUBMITTING:
        return
    newer = await rooms.builds.get(build.superseded_by) if build.superseded_by else None
    successor = newer.workflow_name if newer else ""
    nothing = read_state(
        {"metadata": {"namespace": build.namespace, "name": build.workflow_name}}, deleted=True
    )
    await CheckRuns(rooms).bring(build, report(subject_of(build, rooms.argo_ui, successor), nothing, {}))
    if build.deployment_id:
        why = build.stopped or f"superseded by {code(successor)}"
        await DeploymentReports(rooms).refused(build.commit.repository, build.deployment_id, why)
    await rooms.builds.change(build.id, state=BuildState.FINISHED)
