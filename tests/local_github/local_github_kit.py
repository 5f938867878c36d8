from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from githubkit import AppAuthStrategy, GitHub
from githubkit.cache import MemCacheStrategy
from starlette.requests import Request
from starlette.responses import Response

from kubeci.github.private_key import read_private_key
from kubeci.local.github.auth import App
from kubeci.local.github.server import LocalGitHub

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # no TLS here, and no time for reading certificates
SECRET = "it's a secret"


@dataclass
class Clock:
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += timedelta(**amount)


@dataclass
class Receiver:
    """A webhook receiver that checks signatures as a server would."""

    url: str = ""
    status: int = 202
    events: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert request.headers["x-hub-signature-256"] == signature
        self.events.append((request.headers["x-github-event"], json.loads(body), dict(request.headers)))
        return Response("taken", status_code=self.status)

    def named(self, event: str, action: str | None = None) -> list[dict[str, Any]]:
        return [
            body for name, body, _ in self.events if name == event and action in {None, body.get("action")}
        ]


def key_of(app: App) -> Any:
    """The App's key as PyJWT, and so githubkit, takes it too: read once, as reading it takes 40 ms."""
    return read_private_key(app.private_key or "")


async def token(github: LocalGitHub, **narrowing: Any) -> str:
    """An installation token by way of the App's JWT."""
    async with kit(github, AppAuthStrategy(github.app.id, key_of(github.app))) as client:
        installation = github.installation("acme/widgets").id
        answer = await client.rest.apps.async_create_installation_access_token(installation, **narrowing)
        return answer.parsed_data.token


def kit(github: LocalGitHub, auth: Any) -> GitHub[Any]:
    """githubkit with a cache of its own: its default one is the process's, and keeps tokens of earlier servers."""
    return GitHub(
        auth,
        base_url=f"{github.base_url}/",
        trust_env=False,
        ssl_verify=PLAIN,
        auto_retry=False,
        http_cache=False,
        cache_strategy=MemCacheStrategy(),
    )
