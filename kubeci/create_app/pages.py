"""What the pages look like: those of the server's style, each of them whole in one answer."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from kubeci.create_app.made import Made
from kubeci.create_app.wish import WEBHOOK_PATH, Wish
from kubeci.model.app_needs import EVENTS, PERMISSIONS, wanted_permissions


class Pages:
    """Renders the pages of one run."""

    def __init__(self, wish: Wish) -> None:
        """Read the style; it stands in each page, since the server is gone when the last one is looked at."""
        own = files("kubeci.create_app").joinpath("templates", "style.css").read_text("utf-8")
        style = files("kubeci.web.pages").joinpath("static", "style.css").read_text("utf-8") + own
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.headers = {
            "cache-control": "no-store",
            # What answers the form may lead on to a company's login, of whatever host; browsers ask this policy there too.
            "content-security-policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
            f"form-action 'self' {wish.github} https:; frame-ancestors 'none'; base-uri 'none'",
            "x-frame-options": "DENY",
            "x-content-type-options": "nosniff",
            # Not "same-origin": a browser would then name no origin to GitHub at all.
            "referrer-policy": "strict-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        self._templates = Environment(
            loader=PackageLoader("kubeci.create_app"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.globals |= {"style": Markup(style), "path": WEBHOOK_PATH}  # noqa: S704 - a file of ours

    def ask(self, webhook_url: str, problem: str = "") -> HTMLResponse:
        """Ask for the webhook's address, `problem` being what is wrong with the one before."""
        status = 422 if problem else 200
        return self._show("ask.html", status, webhook_url=webhook_url, problem=problem)

    def review(self, wish: Wish, place: str, manifest: str, action: str) -> HTMLResponse:
        """Show what the App will be, with the button that proposes it to GitHub."""
        return self._show(
            "review.html",
            wish=wish,
            place=place,
            manifest=manifest,
            action=action,
            permissions=[
                (_title(name), level, [each.carries for each in PERMISSIONS if each.name == name])
                for name, level in wanted_permissions().items()
            ],
            events=[(_title(each.event), each.carries) for each in EVENTS],
        )

    def made(self, made: Made) -> HTMLResponse:
        """Say what was made and what comes next."""
        return self._show("made.html", made=made)

    def message(self, status: int, title: str, text: str, *, back: bool = False) -> HTMLResponse:
        """Say what went wrong; `back` leads to the first page."""
        return self._show("message.html", status, title=title, text=text, back=back)

    def _show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        html = self._templates.get_template(template).render(values)
        return HTMLResponse(html.encode(errors="replace"), status, headers=self.headers)


def _title(name: str) -> str:
    """Write a name of the API as GitHub's pages do: `pull_requests` is `Pull requests`."""
    return name.replace("_", " ").capitalize()
