"""Send a check-run's content and its annotations, each annotation once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import msgspec
import structlog

from kubeci.errors import Invalid, UpstreamError
from kubeci.model.build import Build
from kubeci.model.check_run import Annotation, CheckRun, Status
from kubeci.model.report import Reported
from kubeci.service.rooms import Rooms

ANNOTATIONS_A_REQUEST = 50  # docs.github.com/rest/checks/runs, "Update a check run"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Content:
    """What GitHub should show: the check-run, and all annotations in the order in which they were found."""

    check: CheckRun
    annotations: tuple[Annotation, ...]


def digest_of(check: CheckRun) -> str:
    """Identify a check-run's content."""
    return hashlib.sha256(msgspec.json.encode(check)).hexdigest()


async def publish(build: Build, content: Content, told: Reported, rooms: Rooms) -> None:
    """Send what GitHub was not told yet, 50 annotations a request; nothing when there is no difference.

    GitHub appends annotations. So that a crash or a lost answer doubles none, it is noted before they are sent, and
    where that note is found, GitHub is asked how many it holds.
    """
    if told.sending:
        held = await rooms.github.checks.annotations_count(build.commit.repository, build.check_run_id)
        told = replace(told, annotations=held, sending=False)
    digest = digest_of(content.check)
    unsent = list(content.annotations[told.annotations :])
    while told.digest != digest or unsent:
        batch, unsent = unsent[:ANNOTATIONS_A_REQUEST], unsent[ANNOTATIONS_A_REQUEST:]
        if batch:
            await rooms.builds.save_reported(build.id, replace(told, sending=True))
        try:
            await _send(build, content.check, batch, rooms)
        except UpstreamError as error:
            if not error.retryable:
                # Nothing was done. It counts as a write, so that progress that is refused is not sent at each event.
                await rooms.builds.save_reported(build.id, replace(told, written_at=rooms.clock()))
            raise
        queued = (
            content.check.status is Status.QUEUED
        )  # and so no progress, after which other progress is held back
        told = Reported(
            digest=digest,
            written_at=told.written_at if queued else rooms.clock(),
            writes=told.writes + 1,
            annotations=told.annotations + len(batch),
            completed=content.check.status is Status.COMPLETED,
        )
        await rooms.builds.save_reported(build.id, told)


async def _send(build: Build, check: CheckRun, batch: list[Annotation], rooms: Rooms) -> None:
    """Send a check-run with some annotations; without them where GitHub refuses them: they came out of a log."""
    repository = build.commit.repository
    try:
        await rooms.github.checks.update(repository, build.check_run_id, check, batch)
    except Invalid as error:
        if not batch:
            raise
        log.warning("annotations were refused", build=build.id, annotations=len(batch), error=str(error))
        await rooms.github.checks.update(repository, build.check_run_id, check)
