"""What all pages share: rendering, headers, files, and who looks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from kubeci.ports import Builds, Workflows
from kubeci.report.plain import one_line, plain
from kubeci.report.spans import since, span
from kubeci.service.node_logs import NodeLogs
from kubeci.web.pages.access import Asked, PageAccess, Refusal, Viewer
from kubeci.web.pages.addresses import Links
from kubeci.web.pages.cookie import COOKIE
from kubeci.web.pages.states import State, asked_by, runs, state_of, step_state

_STATIC = Path(__file__).with_name("static")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
REFERRER_OF_FORMS = "same-origin"
"""In place of no-referrer, with which a browser hides the Origin of a page's own form."""
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")

Shown: TypeAlias = Callable[[Request, Viewer], Awaitable[Response]]
"""An endpoint for somebody who may look."""


@dataclass(frozen=True, slots=True)
class PagePorts:
    """What the pages need."""

    builds: Builds
    workflows: Workflows
    logs: NodeLogs
    links: Links
    access: PageAccess
    clock: Callable[[], datetime]
    pause_seconds: float = 0.5
    """How long the answer to a wrong token is held back."""
    refresh_seconds: float = 2.0
    """How often an open page asks for what changed while something may; where nothing runs, less often."""


class Frame:
    """Renders pages, and lets only those see them who may."""

    def __init__(self, ports: PagePorts) -> None:
        """Read the files that are served; they do not change while the server runs."""
        self._ports = ports
        self._files = {path.name: path.read_bytes() for path in _STATIC.iterdir()}
        version = hashlib.sha256(b"".join(text for _, text in sorted(self._files.items()))).hexdigest()[:12]
        self._templates = Environment(
            loader=PackageLoader("kubeci.web.pages"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.filters |= {"line": one_line, "plain": plain, "step_state": step_state}
        self._templates.globals |= {
            "asked_by": asked_by,
            "every": round(ports.refresh_seconds * 1000),
            "links": ports.links,
            "runs": runs,
            "since": since,
            "span": span,
            "state_of": state_of,
            "State": State,
            "version": version,
        }

    def guarded(self, endpoint: Shown) -> Callable[[Request], Awaitable[Response]]:
        """Give an endpoint that answers those who may look, and says to the others what they can do."""

        async def guarded(request: Request) -> Response:
            found = self.viewer(request)
            return (
                await endpoint(request, found) if isinstance(found, Viewer) else self._refuse(request, found)
            )

        return guarded

    def viewer(self, request: Request) -> Viewer | Refusal:
        """Say who looks, or why they may not."""
        access = self._ports.access
        return access.viewer(
            Asked(
                peer=request.client.host if request.client else "",
                host=request.headers.get("host", ""),
                users=tuple(request.headers.getlist(access.user_header)) if access.user_header else (),
                cookie=request.cookies.get(COOKIE, ""),
                forwarded=any(name in request.headers for name in _FORWARDED),
            ),
            self._ports.clock(),
        )

    async def show(
        self, request: Request, live: str, viewer: Viewer | None = None, *, head: str = "", **values: Any
    ) -> Response:
        """Answer with a page, or, where the script asks for it, with the part that changes.

        `live` is that part's template, `head` that of what stands above it and stays.
        """
        fragment = request.query_params.get("fragment") == "1"
        values |= {"live": live, "head": head, "viewer": viewer or Viewer()}
        template = self._templates.get_template(live if fragment else "page.html")
        # Hundreds of steps and annotations are work for another thread.
        html = await asyncio.to_thread(template.render, values)
        tag = f'"{hashlib.sha256(html.encode(errors="replace")).hexdigest()[:32]}"'
        headers = {**HEADERS, "etag": tag}
        if viewer and viewer.token:
            headers["referrer-policy"] = REFERRER_OF_FORMS
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html.encode(errors="replace"), headers=headers)

    async def file(self, request: Request) -> Response:
        """Answer with a file of the pages; there is nothing secret in them."""
        return self._file(request.path_params["name"])

    async def icon(self, _request: Request) -> Response:
        """Answer with the icon of pages that name none."""
        return self._file("icon-neutral.svg")

    def _file(self, name: str) -> Response:
        if name not in self._files:
            return self.absent()
        kept = {**HEADERS, "cache-control": "public, max-age=3600"}
        return Response(self._files[name], media_type=_TYPES[Path(name).suffix], headers=kept)

    def message(self, status: int, title: str, text: str, *, then: str = "") -> Response:
        """Answer with a sentence; `then` is an address that the browser goes on to by itself."""
        html = self._templates.get_template("message.html").render(title=title, text=text, then=then)
        return HTMLResponse(html, status, headers=HEADERS)

    def absent(self) -> Response:
        """Say that there is nothing here, be it that it is not shown."""
        return self.message(404, "Not found", "There is no such page, or it is not yours to see.")

    def _refuse(self, request: Request, refusal: Refusal) -> Response:
        if refusal is Refusal.HOST:
            reason = "This server answers on this machine only: open it as localhost or 127.0.0.1."
            return PlainTextResponse(reason + "\n", 421, headers=HEADERS)
        path = request.url.path
        if refusal is Refusal.OFF:
            return self.message(200, "kubeci", OFF) if path == "/" else self.absent()
        if request.query_params.get("fragment") == "1" or "/log" in path:
            return PlainTextResponse("Log in first.\n", 401, headers=HEADERS)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A link on another site brings no SameSite=Strict cookie; the next request comes from this page, with it.
            return self.message(200, "One moment", "On to the page…", then=_here(request))
        if not self._ports.access.tokens:
            return self.message(
                403, "kubeci", "These pages are shown to those whom the proxy before them lets in."
            )
        return RedirectResponse(f"/login?next={quote(_here(request), safe='')}", 303, headers=HEADERS)


OFF = (
    "kubeci is continuous integration for GitHub on Argo Workflows. Its pages are off here: turn them on with an API "
    "token that has the verb read, with pages.userHeader and pages.proxies, or with pages.public, in the settings file."
)


def _here(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
