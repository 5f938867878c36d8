"""Apps that people made from a manifest: a code first, then the App with its key."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import jwt
from starlette.responses import JSONResponse, Response

from kubeci.local.github.app_manifest import Manifest, slug_of
from kubeci.local.github.auth import App, check_app, new_app
from kubeci.local.github.errors import not_found
from kubeci.local.github.payloads import node_id, user_json
from kubeci.local.github.state import Account, State, timestamp

if TYPE_CHECKING:
    from kubeci.local.github.calls import Call
    from kubeci.model.json import JsonObject

CODE_LIFETIME = timedelta(hours=1)
APPS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Promise:
    """An App that a person agreed to, until its code is brought."""

    manifest: Manifest
    name: str
    owner: Account
    made_at: datetime


@dataclass(frozen=True, slots=True)
class MadeApp:
    """An App beside the one that the local GitHub was started with; it is installed nowhere."""

    app: App
    promise: Promise
    webhook_secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)


class MadeApps:
    """The codes that were given out, and the Apps that were made by them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._promises: dict[str, Promise] = {}
        self.by_slug: dict[str, MadeApp] = {}

    def promise(self, manifest: Manifest, name: str, owner: Account) -> str:
        """Give a code for an App that a person agreed to; ValueError for a name that it cannot have."""
        slug = slug_of(name)
        self._promises = {at: each for at, each in self._promises.items() if not self._is_over(each)}
        promised = {slug_of(each.name) for each in self._promises.values()}
        if slug in promised or slug in self.by_slug or slug == self._state.app.slug:
            raise ValueError(f"Name {name} is already taken")
        if len(self._promises) + len(self.by_slug) >= APPS_KEPT:
            raise ValueError(f"more than {APPS_KEPT} Apps are not kept here")
        code = secrets.token_hex(20)
        self._promises[code] = Promise(manifest, name, owner, self._state.now())
        return code

    async def redeem(self, code: str) -> MadeApp:
        """Make the App of a code, which serves once and for an hour; ApiError 404."""
        promise = self._promises.pop(code, None)
        if promise is None or self._is_over(promise):
            raise not_found()
        app = await asyncio.to_thread(new_app, self._state.new_id(), slug_of(promise.name))
        return self.by_slug.setdefault(app.slug, MadeApp(app, promise))

    def of_jwt(self, token: str) -> MadeApp | None:
        """Find the App that a JWT names as its issuer, and check the JWT; None: it names none of these. ApiError 401."""
        try:
            issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))
        except jwt.InvalidTokenError:
            return None
        for made in self.by_slug.values():
            if issuer in {str(made.app.id), made.app.client_id}:
                check_app(made.app, token, self._state.now())
                return made
        return None

    def _is_over(self, promise: Promise) -> bool:
        return self._state.now() - promise.made_at >= CODE_LIFETIME


def made_json(state: State, made: MadeApp) -> JsonObject:
    """Give an App as `GET /app` does."""
    app, promise = made.app, made.promise
    return {
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("App", app.id),
        "client_id": app.client_id,
        "owner": user_json(state, promise.owner),
        "name": promise.name,
        "description": promise.manifest.description,
        "external_url": promise.manifest.url,
        "html_url": f"{state.base_url}/apps/{app.slug}",
        "created_at": timestamp(promise.made_at),
        "updated_at": timestamp(promise.made_at),
        "permissions": promise.manifest.permissions,
        "events": list(promise.manifest.events),
    }


async def convert(call: Call) -> Response:
    """Answer `POST /app-manifests/{code}/conversions`, which takes no credentials but the code."""
    made = await call.services.made_apps.redeem(call.text("code"))
    secret = {
        "client_secret": made.client_secret,
        "webhook_secret": made.webhook_secret,
        "pem": made.app.private_key,
    }
    return call.answer({**made_json(call.state, made), **secret}, 201)


def answer_made(state: State, made: MadeApp, path: str) -> Response:
    """Answer what a made App asks by its JWT, `path` being an operation's; it has no installation to see more by."""
    if path == "/app":
        return JSONResponse({**made_json(state, made), "installations_count": 0})
    if path == "/app/hook/config":
        hook = {"content_type": "json", "insecure_ssl": "0", "secret": "********"}
        return JSONResponse({**hook, "url": made.promise.manifest.webhook_url})
    if path in {"/app/installations", "/app/hook/deliveries"}:
        return JSONResponse([])
    raise not_found()
