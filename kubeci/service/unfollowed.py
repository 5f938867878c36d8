"""Say on the check-runs of running builds that their workflows cannot be followed for the time being."""

from __future__ import annotations

from dataclasses import replace

import structlog

from kubeci.errors import KubeCIError
from kubeci.model.build import Build
from kubeci.report import errors as content
from kubeci.service.check_runs import CheckRuns
from kubeci.service.rooms import Rooms

UNFOLLOWED_SECONDS = 120.0
"""A restart of the API server takes less, and needs no word."""

log = structlog.get_logger(__name__)


async def tell_unfollowed(rooms: Rooms, *, after_seconds: float = UNFOLLOWED_SECONDS) -> None:
    """Tell whenever the watch has been lost for so long, until cancelled; the report after that takes the words away."""
    check_runs = CheckRuns(rooms)
    while True:
        await rooms.watched.until_lost(after_seconds)
        for build in await rooms.builds.unfinished():
            if build.workflow_uid and build.check_run_id and rooms.watched.problem:
                await _tell(build, rooms, check_runs)
        await rooms.watched.until_works()


async def _tell(build: Build, rooms: Rooms, check_runs: CheckRuns) -> None:
    try:
        await check_runs.remark(build, content.unfollowed(rooms.watched.problem))
        # What GitHub shows now is no report of ours: the next one is sent, be it the same as the last.
        told = await rooms.builds.reported(build.id)
        await rooms.builds.save_reported(build.id, replace(told, digest=""))
    except KubeCIError as error:
        log.warning("a build that cannot be followed was not told so", build=build.id, error=str(error))
