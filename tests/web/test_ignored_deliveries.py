"""What asks for nothing is answered 202, and kept with the reason where operators may ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import httpx
import pytest

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery, IgnoredEvent
from kubeci.ports import Inbox
from kubeci.telemetry import Metrics
from kubeci.web.routes import create_app
from kubeci.web.webhooks import WebhookPorts

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHA = "a" * 40
KNOWN = IgnoredEvent("push of refs/tags/v1: no", known=True, repository="Octo/Widgets", sha=SHA)


@dataclass
class Notes:
    """An inbox that is only noted in, or a store that fails."""

    error: UpstreamError | None = None
    noted: list[tuple[Delivery, str]] = field(default_factory=list)

    async def note(self, delivery: Delivery, reason: str) -> None:
        if self.error:
            raise self.error
        self.noted.append((delivery, reason))


async def answer(inbox: Notes, event: IgnoredEvent) -> httpx.Response:
    ports = WebhookPorts(
        verify=lambda _body, _signature: True,
        payload_of=lambda _type, body: body,
        decode=lambda _event, _body: event,
        inbox=cast("Inbox", inbox),
        wake=lambda: None,
        clock=lambda: NOW,
        metrics=Metrics(),
        push_wait_seconds=5.0,
    )
    headers = {
        "x-github-event": "push",
        "x-github-delivery": "one",
        "x-hub-signature-256": f"sha256={'0' * 64}",
    }
    transport = httpx.ASGITransport(create_app(ports, [], going=lambda: False))
    async with httpx.AsyncClient(transport=transport, base_url="http://kubeci") as client:
        return await client.post("/webhooks/github", headers=headers, content=b"{}")


async def test_what_was_read_is_kept_with_the_reason() -> None:
    inbox = Notes()
    told = await answer(inbox, KNOWN)
    assert (told.status_code, told.json()["message"]) == (202, f"ignored: {KNOWN.reason}")
    assert inbox.noted == [
        (Delivery("one", "push", b"{}", NOW, repository="Octo/Widgets", sha=SHA), KNOWN.reason)
    ]


async def test_what_is_of_a_kind_that_nobody_reads_is_not() -> None:
    inbox = Notes()
    assert (await answer(inbox, IgnoredEvent("check_run created: nothing is due for it"))).status_code == 202
    assert inbox.noted == []


async def test_a_store_that_fails_is_no_failure_of_what_asks_for_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (await answer(Notes(UpstreamError("the disk is full")), KNOWN)).status_code == 202
    assert "a delivery could not be stored" in capsys.readouterr().out
