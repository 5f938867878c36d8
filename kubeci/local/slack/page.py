"""The page that a person looks at: channels, their messages, and a line to give commands in."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from kubeci.local.slack.workspace import Workspace

LONGEST_FORM = 10_000  # bytes

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
_SPANS = re.compile(r"`(?P<code>[^`\n]+)`|<(?P<url>https?://[^|>]+)\|(?P<label>[^>]*)>|<@(?P<user>\w+)>")


def render(mrkdwn: str) -> Markup:
    """Write the few things of mrkdwn that the server says as HTML; the rest stays text."""
    parts, end = [], 0
    for found in _SPANS.finditer(mrkdwn):
        parts += [_text(mrkdwn[end : found.start()]), _span(found)]
        end = found.end()
    return Markup("").join([*parts, _text(mrkdwn[end:])])


def _span(found: re.Match[str]) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(_text(found["code"]))
    if found["url"]:
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(
            html.unescape(found["url"]), _text(found["label"])
        )
    return Markup("<b>@{}</b>").format(found["user"])


def _text(mrkdwn: str) -> Markup:
    return Markup.escape(mrkdwn.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


class Page:
    """Renders the page, and gives the commands that are typed there."""

    def __init__(self, workspace: Workspace, command: Callable[[str, str, str, str], Awaitable[str]]) -> None:
        self._workspace = workspace
        self._command = command
        self._templates = Environment(
            loader=PackageLoader("kubeci.local.slack"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters["mrkdwn"] = render
        self._templates.filters["moment"] = _moment

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [Route("/", self.show), Route("/say", self.say, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """Show the channels, one of them with its messages."""
        channels = list(self._workspace.channels.values())
        chosen = self._workspace.find(request.query_params.get("channel", "")) or next(iter(channels), None)
        page = self._templates.get_template("page.html").render(channels=channels, chosen=chosen)
        return HTMLResponse(page, headers=_HEADERS)

    async def say(self, request: Request) -> Response:
        """Give the command that somebody typed."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return PlainTextResponse("another site's page sent this form", 403)
        if int(request.headers.get("content-length", "0")) > LONGEST_FORM:
            return PlainTextResponse("the form is too large", 413)
        form = await request.form()
        channel = self._workspace.find(str(form.get("channel", "")))
        command, _, text = str(form.get("text", "")).strip().partition(" ")
        user = str(form.get("user", ""))
        if channel is None or not re.fullmatch(r"U\w{1,20}", user) or not command.startswith("/"):
            return PlainTextResponse("a command begins with `/`, and a user's id with `U`", 400)
        await self._command(channel.id, user, command, text)
        return RedirectResponse(f"/?channel={channel.id}", 303, headers=_HEADERS)


def _moment(ts: str) -> str:
    return datetime.fromtimestamp(float(ts), UTC).strftime("%H:%M:%S")
