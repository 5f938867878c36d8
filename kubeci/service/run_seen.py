"""What can be seen of runs: pages of them, and one with its steps and annotations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from kubeci.model.build import Build
from kubeci.model.check_run import Annotation
from kubeci.model.report import StepSeen
from kubeci.ports import Builds
from kubeci.report.outcome import steps_of
from kubeci.service.cancel import UNDER_WAY
from kubeci.service.look import Look

ANNOTATIONS = 1000
"""Annotations that are shown of one run."""
BATCH = 200
BATCHES = (
    10  # records that are looked through for one page: where a token reaches few of them, a page may be short
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some builds, newest first; `before` is where the next page begins, None: this is the last."""

    builds: list[Build]
    before: datetime | None


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run with the state of its steps: as of now while it runs, as it was seen last afterwards."""

    build: Build
    phase: str
    title: str
    summary: str
    steps: tuple[StepSeen, ...]
    annotations: tuple[Annotation, ...]


async def page_of(
    builds: Builds, reaches: Callable[[str], bool], *, repository: str, before: datetime | None, limit: int
) -> Page:
    """List builds of the repositories that somebody reaches, of `owner/name` alone where that is not empty."""
    found: list[Build] = []
    for _ in range(BATCHES):
        batch = await builds.newest(repository=repository, before=before, limit=BATCH)
        for build in batch:
            if reaches(build.commit.repository.full_name):
                found.append(build)
            before = build.created_at
            if len(found) == limit:
                return Page(found, before)
        if len(batch) < BATCH:
            return Page(found, None)
    return Page(found, before)


async def see(build: Build, builds: Builds, look: Look) -> RunSeen:
    """Give what can be seen of a run."""
    outcome = await builds.outcome(build.id)
    state = (await look.at(build)).state if build.state in UNDER_WAY and build.workflow_uid else None
    logs = await builds.logs(build.id)
    remarks = (remark for log in logs.values() for remark in log.annotations)
    return RunSeen(
        build,
        state.phase if state else outcome.phase,
        outcome.check.title if outcome.check else "",
        outcome.check.summary if outcome.check else "",
        steps_of(state) if state else outcome.steps,
        tuple(islice(remarks, ANNOTATIONS)),
    )
