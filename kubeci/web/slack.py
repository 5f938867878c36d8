"""Take Slack's slash commands: check the signature, store the wish, answer at once; the work happens later.

Slack waits three seconds for the answer (docs.slack.dev, "Implementing slash commands"), so neither GitHub nor the cluster is
asked here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from kubeci.errors import Invalid, UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.slack import SLACK_EVENT, SlackCommand, SlackMessage
from kubeci.policy.slack import Misunderstood, may, refusal, wish_of
from kubeci.ports import Inbox
from kubeci.service.slack_answers import begun, listed, private
from kubeci.settings.config import TemplateFiles
from kubeci.settings.slack import SlackAccess, SlackVerb
from kubeci.telemetry import Metrics
from kubeci.web.body import read_body

BODY_LIMIT = 64 * 1024
SIGNATURE_LENGTH = 67  # of "v0=" and 64 hexadecimal digits

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SlackPorts:
    """What the endpoint needs of Slack's adapter, the settings, and where commands go."""

    verify: Callable[[bytes, str, str, datetime], bool]
    """Says whether a timestamp and a signature fit a body now."""
    is_certificate_check: Callable[[bytes], bool]
    read: Callable[[bytes], SlackCommand]
    """Reads a form; `Invalid` when it is malformed."""
    access: tuple[SlackAccess, ...]
    templates: Mapping[str, TemplateFiles]
    inbox: Inbox
    wake: Callable[[], None]
    clock: Callable[[], datetime]
    metrics: Metrics


class SlackWebhook:
    """The endpoint `/webhooks/slack/cmd`."""

    def __init__(self, ports: SlackPorts) -> None:
        self._ports = ports

    async def __call__(self, request: Request) -> Response:
        """Answer a signed command with what is begun, or to its author alone with why nothing is; see the table in the docs."""
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if len(signature) != SIGNATURE_LENGTH or not timestamp:
            return _refused(401, "X-Slack-Signature or X-Slack-Request-Timestamp is missing, or is none")
        try:
            body = await read_body(request, BODY_LIMIT)
        except ClientDisconnect:
            return _refused(499, "the client went away")
        if body is None:
            return _refused(413, f"the body is larger than {BODY_LIMIT} bytes")
        if not self._ports.verify(body, timestamp, signature, self._ports.clock()):
            return _refused(
                401, "X-Slack-Signature does not fit the body, or the request is not of these five minutes"
            )
        try:
            if self._ports.is_certificate_check(body):
                return Response()
            command = self._ports.read(body)
        except Invalid as error:
            return _refused(400, str(error))
        return _said(await self._answer(command))

    async def _answer(self, command: SlackCommand) -> SlackMessage:
        wish = wish_of(command)
        if isinstance(wish, Misunderstood):
            return private(wish.reason)
        if not may(command, wish.verb, wish.full_name, self._ports.access):
            self._count("refused")
            return private(refusal(command, wish.verb, wish.full_name))
        if wish.verb is SlackVerb.SETUP and not wish.words:
            return listed({name: files.description for name, files in self._ports.templates.items()})
        try:
            new = await self._store(command)
        except UpstreamError as error:
            log.warning("a command could not be stored", error=str(error))
            return private("the command could not be kept, since the store fails: give it again in a while")
        if not new:
            return private("this command was taken already")
        return begun(command, wish)

    async def _store(self, command: SlackCommand) -> bool:
        delivery = Delivery(
            delivery_id(command), SLACK_EVENT, msgspec.json.encode(command), self._ports.clock()
        )
        new = await self._ports.inbox.add(delivery)
        self._count("stored" if new else "repeated")
        if new:
            self._ports.wake()
        return new

    def _count(self, outcome: str) -> None:
        self._ports.metrics.deliveries.labels(SLACK_EVENT, outcome).inc()


def delivery_id(command: SlackCommand) -> str:
    """Identify a command in the inbox: Slack gives each another trigger id."""
    return "slack-" + hashlib.sha256(f"{command.team_id}\0{command.trigger_id}".encode()).hexdigest()[:40]


def _said(message: SlackMessage) -> JSONResponse:
    return JSONResponse(
        {"response_type": "in_channel" if message.public else "ephemeral", "text": message.text}
    )


def _refused(status: int, message: str) -> JSONResponse:
    return JSONResponse({"message": message}, status)
