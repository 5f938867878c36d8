"""End builds that are not wanted any more before they have a workflow."""

from __future__ import annotations

import structlog

from kubeci.errors import Forbidden, UpstreamError
from kubeci.model.build import Build, BuildState
from kubeci.model.check_run import Conclusion
from kubeci.report.check_run import report
from kubeci.report.errors import DEFAULT_NAME
from kubeci.report.markdown import code
from kubeci.service.check_runs import CheckRuns
from kubeci.service.deployments import DeploymentReports
from kubeci.service.rooms import Rooms
from kubeci.service.subject import subject_of
from kubeci.workflow import metadata
from kubeci.workflow.status import read_state

log = structlog.get_logger(__name__)


def is_unwanted(build: Build) -> bool:
    """Say whether somebody stopped a build, or a newer one took its place."""
    return bool(build.stopped or build.superseded_by)


def is_unmade(build: Build) -> bool:
    """Say whether a build failed before there was a workflow: its definition, or the cluster, let none be made."""
    failed = build.state is BuildState.FINISHED and build.conclusion == Conclusion.FAILURE
    return failed and not build.workflow_uid


def is_undefined(build: Build) -> bool:
    """Say whether what failed so is the definition, as far as the build's name: it has that of its workflow later."""
    return is_unmade(build) and build.check_name == DEFAULT_NAME


def creation_of(build: Build) -> str:
    """Name what is held while a build's workflow is created, or the build ended that will get none."""
    return f"creation {build.id}"


async def end_unbegun(build: Build, rooms: Rooms) -> bool:
    """Conclude an unwanted build as cancelled if it waits for its workflow; False: it has one, or is about to get it.

    Its record must say already that it is unwanted: whoever creates the workflow reads that just before and after.
    """
    if not _waits(build):
        return False
    async with rooms.exclusive.hold_if_free(creation_of(build)) as free:
        now = await rooms.builds.get(build.id) if free else None
        if now is None or not _waits(now):
            return False
        try:
            await conclude_unbegun(now, rooms)
        except UpstreamError as error:
            if error.retryable:
                raise
            log.warning("a check-run could not be concluded", build=build.id, error=str(error))
    return True


def _waits(build: Build) -> bool:
    return build.state is BuildState.SUBMITTING and bool(build.check_run_id) and not build.workflow_uid


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


async def withdraw(build: Build, rooms: Rooms, *, last_attempt: bool) -> str:
    """Stop the workflow of a build that was ended without one, since the answer to its creation may have been lost.

    Gives what came of it in a sentence. Raises an `UpstreamError` that may pass, unless this is the last attempt.
    """
    workflows = rooms.cluster.workflows
    try:
        existing = await workflows.get(build.namespace, build.workflow_name)
        if metadata.is_of(existing, build):
            await workflows.stop(build.namespace, build.workflow_name)
    except Forbidden as error:
        log.warning("a build that is not needed may go on", workflow=build.workflow_name, error=str(error))
    except UpstreamError as error:
        if error.retryable and not last_attempt:
            raise
    return f"{build.check_name} was ended before it began"
