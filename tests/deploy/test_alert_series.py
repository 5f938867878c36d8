"""What alerts count is shown with 0 before it happens: Prometheus sees no increase in a series that begins with 1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import httpx
import pytest

from kubeci.errors import UpstreamError
from kubeci.model.app_needs import EVENTS
from kubeci.model.event import BranchDeletedEvent, Delivery
from kubeci.model.repository import Repository
from kubeci.ports import Inbox
from kubeci.telemetry import Metrics
from kubeci.web.routes import create_app
from kubeci.web.webhooks import WebhookPorts

DELETED = BranchDeletedEvent(Repository("acme", "widgets", 1), "main")


@dataclass
class OneWay:
    """An inbox that takes every delivery, or none."""

    error: Exception | None

    async def add(self, _delivery: Delivery) -> bool:
        if self.error:
            raise self.error
        return True


def server(metrics: Metrics, error: Exception | None) -> httpx.AsyncClient:
    ports = WebhookPorts(
        verify=lambda _body, _signature: True,
        payload_of=lambda _type, body: body,
        decode=lambda _event, _body: DELETED,
        inbox=cast("Inbox", OneWay(error)),
        wake=lambda: None,
        clock=lambda: datetime.now(UTC),
        metrics=metrics,
        push_wait_seconds=0.0,
    )
    transport = httpx.ASGITransport(create_app(ports, [], going=lambda: False), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://kubeci")


async def deliver(client: httpx.AsyncClient, event: str) -> int:
    headers = {
        "x-github-event": event,
        "x-github-delivery": "one",
        "x-hub-signature-256": f"sha256={'0' * 64}",
    }
    return (await client.post("/webhooks/github", headers=headers, content=b"{}")).status_code


async def shown(client: httpx.AsyncClient, start: str) -> dict[str, float]:
    """Give the samples of `/metrics` whose names begin so."""
    lines = (await client.get("/metrics")).text.splitlines()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if line.startswith(start))
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [(UpstreamError("the disk is full"), 503), (RuntimeError("nobody thought of it"), 500)],
    ids=str,
)
async def test_the_first_webhook_that_is_not_kept_is_an_increase(error: Exception, status: int) -> None:
    async with server(Metrics(), error) as client:
        before = await shown(client, "http_request_duration_seconds_count")
        assert await deliver(client, "delete") == status
        after = await shown(client, "http_request_duration_seconds_count")
    grown = {name: before.get(name) for name, value in after.items() if value and "webhooks" in name}
    assert list(grown.values()) == [0], grown
    assert f'status="{status}"' in next(iter(grown))


@pytest.mark.parametrize("event", [each.event for each in EVENTS])
async def test_the_first_webhook_that_is_stored_is_an_increase(event: str) -> None:
    async with server(Metrics(), None) as client:
        before = await shown(client, "kubeci_deliveries_total")
        assert set(before.values()) == {0}
        assert await deliver(client, event) == 202
        after = await shown(client, "kubeci_deliveries_total")
    assert after.keys() == before.keys()
    assert sum(after.values()) == 1


@pytest.mark.parametrize("metric", ["kubeci_builds_lost_total", "kubeci_deliveries_parked"])
async def test_what_is_lost_or_set_aside_begins_with_none(metric: str) -> None:
    async with server(Metrics(), None) as client:
        assert await shown(client, metric) == {metric: 0}
