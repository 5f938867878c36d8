"""Webhook deliveries: signed, sent one after the other, remembered with the answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from kubeci.local.github.payloads import node_id
from kubeci.local.github.state import State, timestamp
from kubeci.model.json import JsonObject

ANSWER_SECONDS = (
    10.0  # GitHub waits no longer for an answer: docs.github.com, "Best practices for using webhooks"
)
KEPT = 2_000
SHOWN_BYTES = 8_192


@dataclass(slots=True)
class Delivery:
    """One attempt to deliver an event; a redelivery is another one with the same guid."""

    id: int
    guid: str
    event: str
    payload: JsonObject
    delivered_at: datetime
    redelivery: bool = False
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


class Deliveries:
    """The App's webhook; `url` may be set later, an empty one fails every delivery as an unreachable one would."""

    def __init__(self, state: State, secret: str) -> None:
        self._state = state
        self._secret = secret
        self.url = ""
        self.config = {"content_type": "json", "insecure_ssl": "0", "secret": "********"}
        self.sent: deque[Delivery] = deque(maxlen=KEPT)
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()

    def add(self, event: str, payload: JsonObject, *, guid: str | None = None) -> Delivery:
        """Queue an event; a `guid` makes it a redelivery."""
        delivery = Delivery(
            self._state.new_id(),
            guid or str(uuid.uuid4()),
            event,
            payload,
            self._state.now(),
            guid is not None,
        )
        self.sent.append(delivery)
        self._queue.put_nowait(delivery)
        return delivery

    def find(self, delivery_id: int) -> Delivery | None:
        """Find a delivery by its id."""
        return next((d for d in self.sent if d.id == delivery_id), None)

    async def settled(self) -> None:
        """Wait until every queued delivery was tried."""
        await self._queue.join()

    async def run(self) -> None:
        """Send what is queued, in order, until cancelled."""
        # The receiver is on loopback, without TLS: an empty context spares the reading of the machine's certificates.
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS, verify=plain) as client:
            while True:
                delivery = await self._queue.get()
                try:
                    await self._send(client, delivery)
                finally:
                    self._queue.task_done()

    async def _send(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        body = json.dumps(delivery.payload, separators=(",", ":")).encode()
        delivery.request_headers = self._headers(delivery, body)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            if not self.url:
                raise httpx.UnsupportedProtocol("no webhook URL is set")
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await client.post(self.url, content=body, headers=delivery.request_headers)
        except (httpx.TimeoutException, TimeoutError):
            delivery.status, delivery.status_code = "timed out", 504
        except (httpx.HTTPError, httpx.InvalidURL):
            delivery.status, delivery.status_code = "failed to connect to host", 502
        else:
            delivery.status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
            delivery.status_code = answer.status_code
            delivery.response_headers = dict(answer.headers)
            delivery.response_body = answer.text[:SHOWN_BYTES]
        delivery.duration = round(loop.time() - started, 3)

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        signature = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/kubeci",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": "1",
            "X-GitHub-Hook-Installation-Target-ID": str(self._state.app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature-256": f"sha256={signature}",
        }


def item_json(delivery: Delivery) -> JsonObject:
    """Give a delivery as the delivery list names it."""
    payload = delivery.payload
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": timestamp(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": delivery.duration,
        "status": delivery.status,
        "status_code": delivery.status_code,
        "event": delivery.event,
        "action": payload.get("action"),
        "installation_id": payload.get("installation", {}).get("id"),
        "repository_id": payload.get("repository", {}).get("id"),
        "throttled_at": None,
    }


def delivery_json(delivery: Delivery, url: str) -> JsonObject:
    """Give a delivery with its request and the answer."""
    return {
        **item_json(delivery),
        "url": url,
        "request": {"headers": delivery.request_headers, "payload": delivery.payload},
        "response": {"headers": delivery.response_headers, "payload": delivery.response_body},
    }


def installation_ref(installation_id: int) -> JsonObject:
    """Give the installation as events name it."""
    return {"id": installation_id, "node_id": node_id("IntegrationInstallation", installation_id)}
