"""The page `/`: builds, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from kubeci.service.run_seen import page_of
from kubeci.web.pages.access import Viewer
from kubeci.web.pages.frame import Frame, PagePorts
from kubeci.web.pages.states import runs

PAGE = 50
"""Builds of one page."""
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
        page = await page_of(self._builds, viewer.sees, repository=repository, before=before, limit=PAGE)
        live = request.query_params.get("fragment") == "1"
        return await self._frame.show(
            request,
            "list_live.html",
            viewer,
            head="list_head.html",
            builds=page.builds,
            running=sum(runs(build) for build in page.builds),
            repository=repository,
            # The filter stays when the list changes.
            known=() if live else await self._known(viewer),
            older="/?" + _query(repository, page.before) if page.before else "",
            newer="/?" + _query(repository, None) if before else "",
        )

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
