"""End builds that nobody will submit any more: their workflow is found, or their check-run says that they were lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from kubeci.errors import RateLimited, UpstreamError
from kubeci.model.build import Build, BuildState
from kubeci.model.check_run import Conclusion
from kubeci.model.trust import What
from kubeci.ports import Inbox
from kubeci.report import errors as content
from kubeci.report.check_run import setup
from kubeci.service.adopt import adopt
from kubeci.service.check_runs import CheckRuns
from kubeci.service.deployments import DeploymentReports
from kubeci.service.identity import submission_of
from kubeci.service.patience import LONGEST_WAIT, has_time
from kubeci.service.rooms import Rooms
from kubeci.service.subject import subject_of
from kubeci.service.unbegun import conclude_unbegun, is_unwanted

LOST_SECONDS = 60.0
"""Between two looks."""
REQUEST_TIME = timedelta(minutes=5)
"""Who asked by the API may take a build up that broke off, by the same key, before it counts as lost."""
UNKNOWN_TIME = LONGEST_WAIT + timedelta(hours=1)
"""Of a build of an older version nobody noted which delivery asked for it; no delivery is tried for so long."""
REFUSED_PAUSE = timedelta(hours=1)
"""Until a conclusion that GitHub or the cluster refuses for good is tried again: a right may be granted meanwhile."""

log = structlog.get_logger(__name__)


async def find_lost(
    rooms: Rooms, inbox: Inbox, *, told: Callable[[], None], every_seconds: float = LOST_SECONDS
) -> None:
    """Look for lost builds until cancelled; `told` hears of each that is told to be lost."""
    lost = LostBuilds(rooms, inbox, told=told)
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await lost.look()
        except RateLimited as error:
            log.info("lost builds are told later", error=str(error))
        except UpstreamError as error:
            log.warning("lost builds could not be looked for", error=str(error))


class LostBuilds:
    """Finds builds without a workflow whose work is done, set aside or gone, and ends them."""

    def __init__(self, rooms: Rooms, inbox: Inbox, *, told: Callable[[], None]) -> None:
        self._rooms = rooms
        self._inbox = inbox
        self._told = told
        self._check_runs = CheckRuns(rooms)
        self._deployments = DeploymentReports(rooms)
        self._refused: dict[str, datetime] = {}
        """When a build's end was refused for good, by its id."""

    async def look(self) -> None:
        """Look at each build that has no workflow; raises `UpstreamError` where a later look may find more."""
        now = self._rooms.clock()
        self._refused = {each: at for each, at in self._refused.items() if now - at < REFUSED_PAUSE}
        problem: UpstreamError | None = None
        for build in await self._rooms.builds.unfinished():
            if build.id in self._refused or not await self._is_lost(build):
                continue
            try:
                await self._end(build)
            except RateLimited:
                raise
            except UpstreamError as error:
                # The others are looked at all the same.
                problem = problem or error
                if not error.retryable:
                    self._refused[build.id] = now
        if problem:
            raise problem

    async def _is_lost(self, build: Build) -> bool:
        if build.state is not BuildState.SUBMITTING or build.workflow_uid:
            return False
        if not build.delivery_id and not is_unwanted(build):
            longest = REQUEST_TIME if build.what is What.API else UNKNOWN_TIME
            if has_time(build.created_at, self._rooms.clock(), longest):
                return False
        commit = build.commit
        # Several deliveries may ask for one build, as a push and its check suite do.
        return not await self._inbox.pending(build.delivery_id, commit.repository.full_name, commit.sha)

    async def _end(self, build: Build) -> None:
        async with self._rooms.exclusive.hold_if_free(submission_of(build.commit)) as free:
            now = await self._rooms.builds.get(build.id) if free else None
            # Whoever worked on it held the same until now.
            if now is None or not await self._is_lost(now) or await adopt(now, self._rooms):
                return
            if is_unwanted(now):
                await end_unwanted(now, self._rooms)
                return
            now = await _with_check_run(now, self._rooms)
            delivery = await self._inbox.get(now.delivery_id) if now.delivery_id else None
            reason = delivery.reason if delivery else ""
            why = content.lost_because(reason)
            log.warning(
                "a build was lost", build=now.id, delivery=now.delivery_id, because=why, reason=reason
            )
            if now.deployment_id:
                await self._deployments.refused(now.commit.repository, now.deployment_id, why)
            await self._check_runs.lose(now, why)
            self._told()


async def end_unwanted(build: Build, rooms: Rooms) -> None:
    """Conclude a build as cancelled that somebody stopped and nobody submits; raises `UpstreamError`."""
    build = await _with_check_run(build, rooms)
    if build.check_run_id:
        await conclude_unbegun(build, rooms)
    else:
        ended = Conclusion.CANCELLED.value
        await rooms.builds.change(build.id, state=BuildState.FINISHED, conclusion=ended)


async def _with_check_run(build: Build, rooms: Rooms) -> Build:
    """Give a build with its check-run, whose creation may not have been answered."""
    if build.check_run_id:
        return build
    found = await rooms.github.checks.find(build.commit, setup(subject_of(build, rooms.argo_ui)))
    return await rooms.builds.change(build.id, check_run_id=found) if found else build
