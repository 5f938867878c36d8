"""The pages on which a person makes an App from a manifest, and looks at it."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kubeci.local.github.app_manifest import read_manifest
from kubeci.local.github.app_manifest_apps import MadeApps
from kubeci.local.github.page import Page, read_form, refusals
from kubeci.local.github.state import Account

MANIFEST_LIMIT = 100_000
STATE_LIMIT = 1_000


class AppPages:
    """Shows what the manifest asks for, and makes the App when a person agrees."""

    def __init__(self, page: Page, made_apps: MadeApps) -> None:
        self._page = page
        self._state = page.state
        self._made = made_apps

    def routes(self) -> list[Route]:
        """Give the routes; they must come before those of repositories."""
        paths = ("/settings/apps", "/organizations/{org}/settings/apps")
        return [
            *(Route(f"{path}/new", self.agree, methods=["POST"]) for path in paths),
            *(Route(f"{path}/new", self.nothing) for path in paths),
            *(Route(f"{path}/manifest", self.make, methods=["POST"]) for path in paths),
            Route("/apps/{slug}", self.app),
            Route("/apps/{slug}/installations/new", self.app),
        ]

    async def nothing(self, request: Request) -> Response:
        """Say how an App is proposed."""
        return await self._page.show(request, "app_none.html")

    async def agree(self, request: Request) -> Response:
        """Show an App that another site's page proposes; nothing is made yet."""
        owner = self._owner(request)
        form = await read_form(request, MANIFEST_LIMIT, of_any_site=True)
        with refusals():
            manifest = read_manifest(form.get("manifest", ""))
        answer = await self._page.show(
            request,
            "app_manifest.html",
            manifest=manifest,
            text=form.get("manifest", ""),
            given_state=request.query_params.get("state", "")[:STATE_LIMIT],
            owner=owner,
            action=request.url.path.removesuffix("/new") + "/manifest",
        )
        # The answer to our own form leads to the proposer's page, and browsers ask this policy there too.
        back = urlsplit(manifest.redirect_url)
        allowed = f"form-action 'self' {back.scheme}://{back.netloc.rpartition('@')[2]};"
        policy = answer.headers["content-security-policy"].replace("form-action 'self';", allowed)
        answer.headers["content-security-policy"] = policy
        return answer

    async def make(self, request: Request) -> Response:
        """Take a person's agreement, and lead them back to the proposer with a code."""
        owner = self._owner(request)
        form = await read_form(request, MANIFEST_LIMIT)
        with refusals():
            manifest = read_manifest(form.get("manifest", ""))
            code = self._made.promise(manifest, form.get("name", "").strip(), owner)
        given = {"code": code} | ({"state": form["state"]} if form.get("state") else {})
        joint = "&" if urlsplit(manifest.redirect_url).query else "?"
        return RedirectResponse(f"{manifest.redirect_url}{joint}{urlencode(given)}", 302)

    async def app(self, request: Request) -> Response:
        """Show a made App."""
        made = self._made.by_slug.get(request.path_params["slug"])
        if made is None:
            raise HTTPException(404)
        return await self._page.show(request, "app_made.html", made=made)

    def _owner(self, request: Request) -> Account:
        if "org" not in request.path_params:
            return self._state.user(self._page.actor(request))
        found = self._state.accounts.get(request.path_params["org"].lower())
        if found is None or found.type != "Organization":
            raise HTTPException(404)
        return found
