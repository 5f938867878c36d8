"""Log in with an API token, and out again."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from kubeci.web.access import Access
from kubeci.web.body import read_body
from kubeci.web.pages import cookie
from kubeci.web.pages.access import Refusal, Viewer
from kubeci.web.pages.frame import HEADERS, REFERRER_OF_FORMS, Frame, PagePorts

BODY_LIMIT = 8 * 1024
WRONG_AT_ONCE = 8
"""Wrong tokens whose answers are held back at a time; further attempts are refused unread."""


class Login:
    """The endpoints `/login` and `/logout`."""

    def __init__(self, ports: PagePorts, frame: Frame) -> None:
        self._ports = ports
        self._frame = frame
        self._tokens = Access(ports.access.tokens)
        self._wrong = 0

    async def form(self, request: Request) -> Response:
        """Show the form."""
        found = self._frame.viewer(request)
        if isinstance(found, Viewer):
            return RedirectResponse(_safe(request.query_params.get("next", "")), 303, headers=HEADERS)
        if found is not Refusal.LOGIN or not self._ports.access.tokens:
            return self._frame.absent()
        return await self._shown(request, request.query_params.get("next", ""))

    async def enter(self, request: Request) -> Response:
        """Take a token; a right one sets the cookie."""
        if self._frame.viewer(request) is Refusal.HOST or not self._ports.access.tokens:
            return self._frame.absent()
        form = await _form(request)
        if form is None:
            return _foreign()
        if self._wrong >= WRONG_AT_ONCE:
            return self._frame.message(429, "Too many attempts", "Wait a moment, and try again.")
        # Access takes a secret as HTTP headers bring it.
        token = self._tokens.secret(form.get("token", "").encode(errors="replace").decode("latin-1"))
        if token is None:
            await self._pause()
            return await self._shown(
                request, form.get("next", ""), "This is no token that may look at the pages."
            )
        answer = RedirectResponse(_safe(form.get("next", "")), 303, headers=HEADERS)
        answer.set_cookie(
            cookie.COOKIE,
            cookie.written(token, self._ports.clock()),
            max_age=int(cookie.LIFETIME.total_seconds()),
            secure=self._is_https(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def leave(self, request: Request) -> Response:
        """Take the cookie away."""
        if await _form(request) is None:
            return _foreign()
        answer = RedirectResponse("/", 303, headers=HEADERS)
        answer.delete_cookie(cookie.COOKIE, httponly=True, samesite="strict")
        return answer

    async def _pause(self) -> None:
        self._wrong += 1
        try:
            await asyncio.sleep(self._ports.pause_seconds)
        finally:
            self._wrong -= 1

    async def _shown(self, request: Request, following: str, problem: str = "") -> Response:
        answer = await self._frame.show(request, "login.html", next=_safe(following), problem=problem)
        answer.headers["referrer-policy"] = REFERRER_OF_FORMS
        answer.status_code = 401 if problem else answer.status_code
        return answer

    def _is_https(self, request: Request) -> bool:
        peer = request.client.host if request.client else ""
        said = request.headers.get("x-forwarded-proto", "")
        return request.url.scheme == "https" or (said == "https" and self._ports.access.is_proxy(peer))


async def _form(request: Request) -> dict[str, str] | None:
    """Read a form that one of our own pages sent; None: another site's page sent it, or it is none."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    same = site == "same-origin" if site else urlsplit(origin).netloc == request.headers.get("host")
    if not same:
        return None
    try:
        body = await read_body(request, BODY_LIMIT)
    except ClientDisconnect:
        return None
    if body is None:
        return None
    try:
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=10)
    except ValueError:
        return None
    return {key: values[0] for key, values in fields.items()}


def _foreign() -> Response:
    return PlainTextResponse("This form must come from a page of this server.\n", 403, headers=HEADERS)


def _safe(path: str) -> str:
    """Give the path to go on to: one of ours alone, not another site's address."""
    ours = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if ours else "/"
