"""The endpoint for Slack's commands before strangers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from kubeci.local.serving import serving
from kubeci.model.event import Delivery
from kubeci.model.slack import SLACK_EVENT, SlackCommand
from kubeci.settings.config import TemplateFiles
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import SlackAccess, SlackVerb
from kubeci.slack.commands import is_certificate_check, read_command
from kubeci.slack.signature import sign, verify
from kubeci.store.database import database
from kubeci.store.inbox import SqlInbox
from kubeci.telemetry import Metrics
from kubeci.web.slack import BODY_LIMIT, SlackPorts, SlackWebhook

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = b"secret"
FORM = {
    "team_id": "T1",
    "channel_id": "C1",
    "user_id": "U1",
    "user_name": "ada",
    "command": "/ci-build",
    "text": "acme/widgets main",
    "response_url": "https://hooks.slack.com/commands/T1/2/abc",
    "trigger_id": "1.2.abc",
}


@dataclass
class Endpoint:
    """The endpoint, and what it stored."""

    url: str
    inbox: SqlInbox
    metrics: Metrics
    woken: list[bool] = field(default_factory=list)

    async def post(self, body: bytes | AsyncIterator[bytes], **headers: Any) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            return await client.post(self.url, content=body, headers=named)

    async def command(self, *, seconds: float = 0, **changes: str) -> httpx.Response:
        body = urlencode(FORM | changes).encode()
        return await self.post(body, **signed(body, seconds))

    async def stored(self) -> Delivery | None:
        return await self.inbox.claim(NOW)


def signed(body: bytes, seconds: float = 0) -> dict[str, str]:
    timestamp = str(int((NOW + timedelta(seconds=seconds)).timestamp()))
    return {
        "x_slack_request_timestamp": timestamp,
        "x_slack_signature": sign(SECRET, timestamp, body),
    }


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    async with database(f"sqlite:///{tmp_path / 'kubeci.db'}") as stored:
        made = Endpoint("", SqlInbox(stored), Metrics())
        ports = SlackPorts(
            verify=partial(verify, SECRET),
            is_certificate_check=is_certificate_check,
            read=partial(read_command, slack_url="https://slack.com/api/"),
            access=(SlackAccess((Pattern("acme/.*"),), (SlackVerb.BUILD,), users=("U1",)),),
            templates={"x": TemplateFiles()},
            inbox=made.inbox,
            wake=lambda: made.woken.append(True),
            clock=lambda: NOW,
            metrics=made.metrics,
        )
        app = Starlette(routes=[Route("/cmd", SlackWebhook(ports).__call__, methods=["POST"])])
        async with serving(app) as url:
            made.url = f"{url}/cmd"
            yield made


async def test_a_command_is_stored_and_answered(endpoint: Endpoint) -> None:
    answer = await endpoint.command()
    assert answer.json() == {
        "response_type": "in_channel",
        "text": "building `acme/widgets` at `main` for <@U1>…",
    }
    delivery = await endpoint.stored()
    assert delivery
    assert delivery.event == SLACK_EVENT
    assert msgspec.json.decode(delivery.payload, type=SlackCommand).user_id == "U1"
    assert endpoint.woken == [True]
    assert (await endpoint.command()).json()["response_type"] == "ephemeral"
    assert (await endpoint.command(team_id="T2")).json()["response_type"] == "in_channel"
    assert endpoint.woken == [True, True]


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 200), (299, 200), (301, 401)])
async def test_a_stale_or_future_timestamp_is_refused(
    endpoint: Endpoint, seconds: float, status: int
) -> None:
    assert (await endpoint.command(seconds=seconds)).status_code == status
    assert bool(await endpoint.stored()) is (status == 200)


GOOD = urlencode(FORM).encode()
REFUSED: list[tuple[bytes, dict[str, Any], int]] = [
    (GOOD, {}, 401),
    (GOOD + b"x", signed(GOOD), 401),
    (GOOD, signed(GOOD) | {"x_slack_signature": "v0=" + "0" * 64}, 401),
    (GOOD, signed(GOOD) | {"x_slack_signature": "v0=" + "é" * 64}, 401),
    (GOOD, signed(GOOD) | {"x_slack_request_timestamp": "soon"}, 401),
    (GOOD, signed(GOOD) | {"x_slack_request_timestamp": ""}, 401),
    (b"x" * (BODY_LIMIT + 1), signed(b"x" * (BODY_LIMIT + 1)), 413),
    (b"\xff", signed(b"\xff"), 400),
    (b"a=1", signed(b"a=1"), 400),
    (b"ssl_check=1&token=x", {}, 401),
]


async def test_what_is_not_stored(endpoint: Endpoint) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * (BODY_LIMIT // 10)

    headers = [
        {name: value.encode() if isinstance(value, str) else value for name, value in row[1].items()}
        for row in REFUSED
    ]
    answers = [
        (await endpoint.post(row[0], **each)).status_code for row, each in zip(REFUSED, headers, strict=True)
    ]
    assert answers == [row[2] for row in REFUSED]
    assert (await endpoint.post(endless(), **signed(b""))).status_code == 413
    elsewhere = await endpoint.command(response_url="http://169.254.169.254/latest/")
    assert (elsewhere.status_code, elsewhere.json()) == (
        400,
        {"message": "the form's field `response_url` does not lead to Slack"},
    )
    assert await endpoint.stored() is None
    assert endpoint.woken == []


async def test_slack_may_look_at_the_certificate(endpoint: Endpoint) -> None:
    body = b"ssl_check=1&token=x"
    answer = await endpoint.post(body, **signed(body))
    assert (answer.status_code, answer.content) == (200, b"")
    assert await endpoint.stored() is None


TOLD: list[tuple[dict[str, Any], str]] = [
    ({"user_id": "U2"}, "you may not build acme/widgets from here"),
    ({"text": "other/widgets"}, "you may not build other/widgets from here"),
    ({"command": "/ci-deploy", "text": "acme/widgets"}, "you may not deploy"),
    ({"command": "/ci-setup", "text": "acme/widgets"}, "you may not setup"),
    ({"command": "/x<!channel>"}, "unknown command /x&lt;!channel&gt;"),
    ({"text": ""}, "usage: /ci-build org/repo [ref]"),
]


async def test_who_may_not_or_asks_wrongly_is_told_alone(endpoint: Endpoint) -> None:
    for changes, words in TOLD:
        answer = await endpoint.command(**changes)
        assert answer.status_code == 200
        assert answer.json()["response_type"] == "ephemeral"
        assert words in answer.json()["text"]
    assert await endpoint.stored() is None
    refused = endpoint.metrics.registry.get_sample_value(
        "kubeci_deliveries_total", {"event": SLACK_EVENT, "outcome": "refused"}
    )
    assert refused == 4.0
