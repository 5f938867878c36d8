"""What all pages share: rendering, forms, and who looks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, PackageLoader
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from kubeci.local.github import views
from kubeci.local.github.markdown import render
from kubeci.local.github.people import People
from kubeci.local.github.state import CheckSuite, Repository

FORM_LIMIT = 10_000
COMMENT_LIMIT = 400_000  # the longest comment, each of its characters written as `%xx`, and a little
COOKIE = "acting-as"
_STATIC = Path(__file__).with_name("static")
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


class Page:
    """The frame of a page; its header tells who acts, and lets somebody else act."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.state = people.state
        self._templates = Environment(
            loader=PackageLoader("kubeci.local.github"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters["markdown"] = render
        self._templates.filters["word"] = views.word

    def routes(self) -> list[Route]:
        """Give the routes of the frame."""
        return [Route("/static/{name}", self._file), Route("/acting-as", self._act_as, methods=["POST"])]

    async def show(self, request: Request, template: str, **values: Any) -> Response:
        """Answer with a page."""
        users = sorted({each.login for each in self.state.accounts.values() if each.type == "User"})
        me = self.actor(request)
        values |= {
            "app": self.state.app,
            "base": self.state.base_url,
            "me": me,
            "users": users if me in users else [me, *users],
            "here": request.url.path,
        }
        # A summary may be 65 KB of Markdown: rendering it is work for another thread.
        html = await asyncio.to_thread(self._templates.get_template(template).render, **values)
        return HTMLResponse(html, headers=_HEADERS)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Tell a person's browser what went wrong as a page, and anybody else as plain text."""
        assert isinstance(error, HTTPException)
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(error.detail, error.status_code)
        answer = await self.show(request, "refused.html", detail=error.detail, status=error.status_code)
        answer.status_code = error.status_code
        return answer

    def actor(self, request: Request) -> str:
        """Give the login of who presses buttons: who was chosen on a page, else `people.user`."""
        chosen = self.state.accounts.get(request.cookies.get(COOKIE, "").lower())
        return chosen.login if chosen is not None and chosen.type == "User" else self.people.user

    def repository(self, request: Request) -> Repository:
        """Find the repository of the path; HTTPException 404."""
        found = self.state.repository(f"{request.path_params['owner']}/{request.path_params['repo']}")
        if found is None:
            raise HTTPException(404)
        return found

    def listed(self, suite: CheckSuite) -> list[views.RunRow]:
        """List a suite's newest check-runs by name, as the sidebar shows them."""
        return views.run_rows(self.state, suite)

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in {"style.css", "live.js", "icon.svg"}:
            raise HTTPException(404)
        return FileResponse(_STATIC / name, headers={"cache-control": "max-age=60"})

    async def _act_as(self, request: Request) -> Response:
        """Take the choice of who acts, and go back to where it was made."""
        form = await read_form(request)
        chosen = self.state.accounts.get(form.get("login", "").lower())
        if chosen is None or chosen.type != "User":
            raise HTTPException(422, "nobody of that name is known here")
        back = urlsplit(form.get("back", "/"))
        path = back.path if back.path.startswith("/") and not back.path.startswith("//") else "/"
        answer = RedirectResponse(path, 303)
        answer.set_cookie(COOKIE, chosen.login, httponly=True, samesite="strict")
        return answer


@contextmanager
def refusals() -> Iterator[None]:
    """Answer 422 with the reason when what a form asks for is refused."""
    try:
        yield
    except ValueError as error:
        raise HTTPException(422, str(error)) from None


async def read_form(
    request: Request, limit: int = FORM_LIMIT, *, of_any_site: bool = False
) -> dict[str, str]:
    """Read a form that one of our own pages sent; another site's page cannot press buttons here.

    `of_any_site` takes another site's too: what only shows a page does no harm.
    """
    origin = request.headers.get("origin")
    if not of_any_site and origin is not None and origin != f"http://{request.headers['host']}":
        raise HTTPException(403)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413)
    return {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
