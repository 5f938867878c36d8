"""The page `/builds/{id}`: one build with its steps, and the logs of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from kubeci.model.build import Build, BuildState
from kubeci.model.check_run import Annotation
from kubeci.model.report import NodeLog, Outcome, StepSeen
from kubeci.report.outcome import steps_of
from kubeci.service.look import Look
from kubeci.service.run_logs import LogRooms
from kubeci.service.step_logs import StepLog, StepLogs
from kubeci.web.pages.access import Viewer
from kubeci.web.pages.frame import HEADERS, Frame, PagePorts
from kubeci.web.pages.states import runs

ANNOTATIONS = 200
"""Annotations of one page; the check-run holds them all."""
OPEN_LOGS = 5
"""Failed steps whose log is there at once."""
DEEPEST = 8
"""Steps that stand deeper are not indented any more."""
_FAILED = frozenset({"Failed", "Error"})


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as the page shows it."""

    step: StepSeen
    depth: int
    log: str
    """Address of its log; empty: it has none."""
    running: bool
    open: bool
    """Its log is shown at once."""
    tail: tuple[str, ...]
    started: datetime | None
    finished: datetime | None


class Building:
    """The endpoints below `/builds/{id}`."""

    def __init__(self, ports: PagePorts, frame: Frame) -> None:
        self._builds = ports.builds
        self._frame = frame
        self._look = Look(ports.workflows, ports.clock)
        self._logs = StepLogs(LogRooms(ports.builds, ports.logs, self._look))

    async def show(self, request: Request, viewer: Viewer) -> Response:
        """Answer with the build's page."""
        build = await self._seen(request, viewer)
        if build is None:
            return self._frame.absent()
        outcome, problem = await self._outcome(build)
        logs = await self._builds.logs(build.id)
        annotations = [each for log in logs.values() for each in log.annotations]
        return await self._frame.show(
            request,
            "build_live.html",
            viewer,
            build=build,
            rows=_rows(build, outcome.steps, logs),
            check=outcome.check,
            problem=problem,
            annotations=sorted(annotations, key=_severity)[:ANNOTATIONS],
            more_annotations=max(0, len(annotations) - ANNOTATIONS),
            deployments=[told for told in (await self._builds.deployments(build.id)).values() if told.state],
            manual=await self._manual(build),
            successor=await self._builds.get(build.superseded_by) if build.superseded_by else None,
        )

    async def text(self, request: Request, viewer: Viewer) -> Response:
        """Answer with the end of a step's log as plain text."""
        log = await self._log(request, viewer)
        if log is None:
            return PlainTextResponse("There is no such log.\n", 404, headers=HEADERS)
        note = f"[{log.note}]\n" if log.note else ""
        return PlainTextResponse(note + "".join(f"{line}\n" for line in log.lines), headers=HEADERS)

    async def lines(self, request: Request, viewer: Viewer) -> Response:
        """Answer with the lines that come after the first `after`, for the page's script."""
        log = await self._log(request, viewer)
        if log is None:
            return JSONResponse(
                {"lines": [], "count": 0, "ended": True, "note": "There is no log."}, headers=HEADERS
            )
        given = request.query_params.get("after", "")
        after = int(given) if given.isascii() and given.isdecimal() and len(given) < 12 else 0
        lines = log.after(after)
        fresh = len(lines) < log.count - after or log.count < after
        answer = {"lines": lines, "count": log.count, "fresh": fresh, "ended": log.ended, "note": log.note}
        return JSONResponse(answer, headers=HEADERS)

    async def _log(self, request: Request, viewer: Viewer) -> StepLog | None:
        build = await self._seen(request, viewer)
        return await self._logs.read(build, request.path_params["step"]) if build else None

    async def _seen(self, request: Request, viewer: Viewer) -> Build | None:
        """Find the build of the path; None: there is none, or it is not the viewer's to see."""
        build = await self._builds.get(request.path_params["id"])
        return build if build and viewer.sees(build.commit.repository.full_name) else None

    async def _outcome(self, build: Build) -> tuple[Outcome, str]:
        """Give what is known of the steps: of a running build from the cluster, else what was kept."""
        kept = await self._builds.outcome(build.id)
        if not runs(build):
            return kept, ""
        seen = await self._look.at(build)
        if seen.state is None:
            return kept, seen.problem
        return Outcome(seen.state.phase, kept.check, steps_of(seen.state)), ""

    async def _manual(self, build: Build) -> list[tuple[str, bool, Build | None]]:
        """List the manual steps of a build: template, whether it is essential, and the newest record of it."""
        if not build.plan.manual or build.state is BuildState.OFFERED:
            return []
        newest = {each.entrypoint: each for each in await self._builds.all_of_commit(build.commit)}
        return [(step.template, step.essential, newest.get(step.template)) for step in build.plan.manual]


def _rows(build: Build, steps: tuple[StepSeen, ...], logs: Mapping[str, NodeLog]) -> list[StepRow]:
    failed = [step.node_id for step in steps if step.type == "Pod" and step.phase in _FAILED][:OPEN_LOGS]
    return [_row(build, step, logs.get(step.node_id), opened=step.node_id in failed) for step in steps]


def _row(build: Build, step: StepSeen, log: NodeLog | None, *, opened: bool) -> StepRow:
    has_log = step.type == "Pod" and step.phase not in {"", "Pending", "Skipped", "Omitted"}
    return StepRow(
        step=step,
        depth=min(step.depth, DEEPEST),
        log=f"/builds/{quote(build.id)}/log/{quote(step.node_id, safe='')}" if has_log else "",
        running=step.phase == "Running",
        open=opened,
        tail=log.tail if opened and log else (),
        started=_time(step.started_at),
        finished=_time(step.finished_at),
    )


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _severity(annotation: Annotation) -> int:
    return ("failure", "warning", "notice").index(annotation.level)
