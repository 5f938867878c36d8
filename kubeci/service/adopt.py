"""Take a workflow that was created for a build, and whose creation was never answered or never noted."""

from __future__ import annotations

import structlog

from kubeci.errors import NotFound
from kubeci.model.build import Build
from kubeci.service.rooms import Rooms
from kubeci.service.supersede import stop_or_say
from kubeci.service.unbegun import is_unwanted
from kubeci.workflow import metadata

log = structlog.get_logger(__name__)


async def adopt(build: Build, rooms: Rooms) -> bool:
    """Note the workflow that the cluster has for a build, which the reconciler then reports; False: it has none.

    What carries the build's name, but not the nonce that nobody can guess, is another's. Raises `UpstreamError`.
    """
    workflows = rooms.cluster.workflows
    try:
        existing = await workflows.get(build.namespace, build.workflow_name)
    except NotFound:
        return False
    if not metadata.is_of(existing, build):
        return False
    log.info("a workflow is taken for the build that it was made for", workflow=build.workflow_name)
    build = await rooms.builds.change(build.id, workflow_uid=existing["metadata"]["uid"])
    # First, since nobody looks for what has begun.
    if is_unwanted(build):
        await stop_or_say(build, workflows)
    await rooms.builds.begin(build.id)
    return True
