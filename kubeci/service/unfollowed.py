"""Say on the check-runs of running builds that their workflows cannot be followed for the time being."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from kubeci.errors import KubeCIError, UpstreamError
from kubeci.model.build import Build
from kubeci.report import errors as content
from kubeci.service.check_runs import CheckRuns
from kubeci.service.rooms import Rooms

UNFOLLOWED_SECONDS = 120.0
"""A restart of the API server takes less, and needs no word."""

SAID_AGAIN = timedelta(hours=1)
"""An API server that comes and goes costs two writes a build in this time."""

log = structlog.get_logger(__name__)


async def tell_unfollowed(rooms: Rooms, *, after_seconds: float = UNFOLLOWED_SECONDS) -> None:
    """Tell when the watch has been lost for so long, until cancelled, and take the words back when it works again.

    Builds that are submitted meanwhile are told at most so many seconds later, and none is told twice in an hour.
    """
    words, watched = _Words(rooms), rooms.watched
    said: dict[str, datetime] = {}
    while True:
        await watched.until_lost(after_seconds)
        told: dict[str, Build] = {}
        while watched.problem:
            now = rooms.clock()
            said = {each: at for each, at in said.items() if now - at < SAID_AGAIN}
            for build in await _unfinished(rooms):
                if build.workflow_uid and build.check_run_id and build.id not in said:
                    await _tried(build, words.tell)
                    said[build.id], told[build.id] = now, build
            with suppress(TimeoutError):
                async with asyncio.timeout(after_seconds):
                    await watched.until_works()
        for build in told.values():
            await _tried(build, words.take_back)


async def _unfinished(rooms: Rooms) -> Sequence[Build]:
    try:
        return await rooms.builds.unfinished()
    except UpstreamError as error:  # they are asked for again at the next turn
        log.warning("the store fails", error=str(error))
        return ()


async def _tried(build: Build, work: Callable[[Build], Awaitable[None]]) -> None:
    try:
        await work(build)
    except KubeCIError as error:
        log.warning(
            "a check-run could not be told how its build is followed", build=build.id, error=str(error)
        )


class _Words:
    """Words below what a check-run shows; while they stand there, it counts as told nothing of ours."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._check_runs = CheckRuns(rooms)

    async def tell(self, build: Build) -> None:
        problem = self._rooms.watched.problem
        if problem:
            await self._check_runs.remark(build, content.unfollowed(problem))
            told = await self._rooms.builds.reported(build.id)
            await self._rooms.builds.save_reported(build.id, replace(told, digest=""))

    async def take_back(self, build: Build) -> None:
        """Show again what stood there, unless a report was quicker."""
        told = await self._rooms.builds.reported(build.id)
        known = (await self._rooms.builds.outcome(build.id)).check
        if known and not told.digest:
            await self._check_runs.bring(build, known)
