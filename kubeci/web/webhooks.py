"""Take GitHub's webhooks: check the signature, store the delivery, answer; the work happens later."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from kubeci.errors import Invalid, UpstreamError
from kubeci.model.event import Delivery, Event, IgnoredEvent, PushEvent, about
from kubeci.ports import Inbox
from kubeci.telemetry import Metrics
from kubeci.web.body import read_body
from kubeci.web.room import NoRoomError, Room

BODY_LIMIT = 25 * 1024 * 1024  # docs.github.com/webhooks: payloads are capped at 25 MB
ROOM_BYTES = 100 * 1024 * 1024
"""Bodies that are read at a time: whose they are is known only when they are there."""
SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
NAME = re.compile(r"[!-~]{1,64}")
"""An event's name, and a delivery's id: neither is signed, and both are shown in terminals."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WebhookPorts:
    """What the endpoint needs of GitHub's adapter, and where deliveries go."""

    verify: Callable[[bytes, str | None], bool]
    """Says whether a signature header fits a body."""
    payload_of: Callable[[str, bytes], bytes]
    """Gives the JSON document of a body by its content type."""
    decode: Callable[[str, bytes], Event]
    """Reads an event; `Invalid` when it is malformed."""
    inbox: Inbox
    wake: Callable[[], None]
    clock: Callable[[], datetime]
    metrics: Metrics
    push_wait_seconds: float
    """How long a push waits for the check suite that GitHub makes of most pushes."""


class Webhooks:
    """The endpoint `/webhooks/github`."""

    def __init__(self, ports: WebhookPorts) -> None:
        self._ports = ports
        self._room = Room(ROOM_BYTES)

    async def __call__(self, request: Request) -> JSONResponse:
        """Answer 202 when the delivery is stored or asks nothing of us; see the table in the docs for the rest."""
        signature = request.headers.get("x-hub-signature-256", "")
        if not SIGNATURE.fullmatch(signature):
            return _answer(401, "the signature in X-Hub-Signature-256 is missing, or is none")
        try:
            body = await read_body(request, BODY_LIMIT, room=self._room)
        except ClientDisconnect:  # the metrics count it
            return _answer(499, "the client went away, or the body did not come in time")
        except NoRoomError:
            return _answer(503, "too many bodies at a time, and this one comes slowly: redeliver this later")
        if body is None:
            return _answer(413, f"the body is larger than {BODY_LIMIT} bytes")
        if not self._ports.verify(body, signature):
            return _answer(401, "the signature in X-Hub-Signature-256 does not fit the body")
        event, delivery_id = (
            request.headers.get("x-github-event", ""),
            request.headers.get("x-github-delivery", ""),
        )
        if not (NAME.fullmatch(event) and NAME.fullmatch(delivery_id)):
            return _answer(400, "X-GitHub-Event and X-GitHub-Delivery must name the event and the delivery")
        return await self._accept(event, delivery_id, request.headers.get("content-type", ""), body)

    async def _accept(self, event: str, delivery_id: str, content_type: str, body: bytes) -> JSONResponse:
        ports = self._ports
        try:
            payload = ports.payload_of(content_type, body)
            decoded = ports.decode(event, payload)
        except Invalid as error:
            return _answer(error.status or 400, str(error))
        wait = ports.push_wait_seconds if isinstance(decoded, PushEvent) else 0.0
        repository, sha = about(decoded)
        delivery = Delivery(
            delivery_id,
            event,
            payload,
            ports.clock(),
            wait_seconds=wait,
            repository=repository,
            sha=sha,
        )
        if isinstance(decoded, IgnoredEvent):
            return await self._ignore(delivery, decoded)
        try:
            new = await ports.inbox.add(delivery)
        except UpstreamError as error:
            log.warning("a delivery could not be stored", delivery=delivery_id, error=str(error))
            return _answer(503, "the store fails: redeliver this later")
        ports.metrics.deliveries.labels(event, "stored" if new else "repeated").inc()
        if new:
            ports.wake()
        return _answer(202, "stored" if new else "this delivery is known; its work is done or under way")

    async def _ignore(self, delivery: Delivery, event: IgnoredEvent) -> JSONResponse:
        """Answer what asks nothing of us; what might have is kept with the reason, for operators."""
        self._ports.metrics.deliveries.labels(delivery.event, "ignored").inc()
        if event.known:
            try:
                await self._ports.inbox.note(delivery, event.reason)
            except UpstreamError as error:  # nothing is lost with it
                log.warning("a delivery could not be stored", delivery=delivery.id, error=str(error))
        return _answer(202, f"ignored: {event.reason}")


def _answer(status: int, message: str) -> JSONResponse:
    return JSONResponse({"message": message}, status)
