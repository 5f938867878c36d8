"""The page `/`: builds, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from kubeci.model.build import Build
from kubeci.web.pages.access import Viewer
from kubeci.web.pages.frame import Frame, PagePorts
from kubeci.web.pages.states import runs

PAGE = 50
"""Builds of one page."""
BATCH = 200
BATCHES = 10
"""How much is read for one page at most, where a viewer sees only some of the repositories."""
KNOWN = 500
"""Newest builds whose repositories the filter proposes."""


class Listing:
    """The endpoint `/`."""

    def __init__(self, ports: PagePorts, frame: Frame) -> None:
        self._builds = ports.builds
        self._frame = frame

    async def __call__(self, request: Request, viewer: Viewer) -> Response:
        """Answer with a page of builds: those of `repository`, older than `before`, where the query says so."""
        repository = request.query_params.get("repository", "").strip()[:200]
        before = _time(request.query_params.get("before", ""))
        found = await self._find(viewer, repository, before)
        shown = found[:PAGE]
        older = ""
        if len(found) > PAGE:
            older = "/?" + _query(repository, shown[-1].created_at)
        live = request.query_params.get("fragment") == "1"
        return await self._frame.show(
            request,
            "list_live.html",
            viewer,
            head="list_head.html",
            builds=shown,
            running=sum(runs(build) for build in shown),
            repository=repository,
            # The filter stays when the list changes.
            known=() if live else await self._known(viewer),
            older=older,
            newer="/?" + _query(repository, None) if before else "",
        )

    async def _find(self, viewer: Viewer, repository: str, before: datetime | None) -> list[Build]:
        """Find one more than a page, of what the viewer sees."""
        found: list[Build] = []
        size = BATCH if viewer.token else PAGE + 1
        for _ in range(BATCHES):
            batch = await self._builds.newest(repository=repository, before=before, limit=size)
            found += [build for build in batch if viewer.sees(build.commit.repository.full_name)]
            if len(batch) < size or len(found) > PAGE:
                break
            before = batch[-1].created_at
        return found

    async def _known(self, viewer: Viewer) -> list[str]:
        newest = await self._builds.newest(limit=KNOWN)
        names = {build.commit.repository.full_name for build in newest}
        return sorted((name for name in names if viewer.sees(name)), key=str.lower)


def _query(repository: str, before: datetime | None) -> str:
    words = {"repository": repository, "before": before.isoformat() if before else ""}
    return urlencode({key: value for key, value in words.items() if value})


def _time(text: str) -> datetime | None:
    """Read the cursor; one that is no time is none."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
