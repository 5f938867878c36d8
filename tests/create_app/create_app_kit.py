"""Somebody who makes an App: the command's pages on one side, the local GitHub on the other."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import jwt
import yaml

from kubeci.create_app.destination import Destination, SecretFile
from kubeci.create_app.handshake import Plan
from kubeci.create_app.made import Made
from kubeci.create_app.run import Serving, create_app
from kubeci.create_app.secret import SecretName
from kubeci.create_app.wish import read_wish

WHERE = SecretName("kubeci", "kubeci-github")
WEBHOOK = "https://ci.example.com/webhooks/github"
AWAY = "http://127.0.0.1:9/api/v3"  # the port discard, where nothing listens


class Forms(HTMLParser):
    """The forms of a page: address and fields of each."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self._base = str(page.url)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((urljoin(self._base, given.get("action", "")), {}))
        elif tag == "input" and self.found:
            self.found[-1][1][given["name"]] = given.get("value", "")


@dataclass
class Person:
    """A browser without a screen: reads forms, fills them in, sends them, follows where they lead."""

    http: httpx.AsyncClient
    seen: list[httpx.Response] = field(default_factory=list)

    async def open(self, url: str) -> httpx.Response:
        return self._saw(await self.http.get(url))

    async def press(self, **filled: str) -> httpx.Response:
        """Send the last page's form that is about the App."""
        forms = [form for form in Forms(self.seen[-1]).found if not form[0].endswith("/acting-as")]
        [(address, fields)] = forms
        return self._saw(await self.http.post(address, data={**fields, **filled}))

    def _saw(self, page: httpx.Response) -> httpx.Response:
        self.seen.append(page)
        return page


@dataclass
class Run:
    """A command that runs; `address` is that of its first page."""

    task: asyncio.Task[Made]
    address: str
    stop: asyncio.Event


@asynccontextmanager
async def running(plan: Plan, **serving: Any) -> AsyncIterator[Run]:
    opened: asyncio.Queue[str] = asyncio.Queue()
    stop = asyncio.Event()
    task = asyncio.create_task(create_app(plan, Serving(opened.put_nowait, stop=stop, **serving)))
    first = asyncio.create_task(opened.get())
    await asyncio.wait({first, task}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    if not first.done():
        first.cancel()
        await task  # raises what the command ends with
    try:
        yield Run(task, first.result(), stop)
    finally:
        stop.set()
        with suppress(Exception):
            await task


@asynccontextmanager
async def somebody() -> AsyncIterator[Person]:
    async with httpx.AsyncClient(trust_env=False, verify=False, follow_redirects=True, timeout=20) as http:
        yield Person(http)


def plan_for(api_url: str, destination: Destination | Path, **wish: str) -> Plan:
    given = {"org": "acme", "webhook_url": WEBHOOK, **wish}
    kept = SecretFile(destination) if isinstance(destination, Path) else destination
    return Plan(read_wish(api_url, **given), WHERE, kept)


def values(secret: Any) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def written(path: Path) -> dict[str, str]:
    secret = yaml.safe_load(path.read_text())
    assert (secret["kind"], secret["type"]) == ("Secret", "Opaque")
    assert secret["metadata"] == {"name": WHERE.name, "namespace": WHERE.namespace}
    return values(secret)


async def who_am_i(api_url: str, app_id: str, key: str, now: float) -> httpx.Response:
    """Ask GitHub with a JWT of the App's key."""
    claims = {"iss": app_id, "iat": int(now) - 30, "exp": int(now) + 300}
    token = jwt.encode(claims, key, algorithm="RS256")
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=api_url) as http:
        return await http.get("/app", headers={"authorization": f"Bearer {token}"})
