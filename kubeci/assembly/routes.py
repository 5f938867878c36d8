"""Build the routes: webhooks, the HTTP API, the pages, Slack where there is one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from starlette.routing import Route

from kubeci.assembly.adapters import Surroundings
from kubeci.github.events import decode
from kubeci.github.payload import payload_of
from kubeci.github.signature import verify
from kubeci.ports import Inbox
from kubeci.service.dispatch import Admission
from kubeci.service.look import Look
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter
from kubeci.slack import commands as slack_commands
from kubeci.slack.signature import verify as verify_slack
from kubeci.telemetry import Metrics
from kubeci.web.access import Access
from kubeci.web.api.routes import ApiPorts, api_routes
from kubeci.web.pages.access import access_of
from kubeci.web.pages.addresses import Links, html_address
from kubeci.web.pages.frame import PagePorts
from kubeci.web.pages.routes import page_routes
from kubeci.web.slack import SlackPorts, SlackWebhook
from kubeci.web.webhooks import WebhookPorts


@dataclass(frozen=True, slots=True)
class Core:
    """What the routes lead to."""

    rooms: Rooms
    submitter: Submitter
    admission: Admission
    inbox: Inbox
    arrived: asyncio.Event
    """Set when something arrived in the inbox."""
    metrics: Metrics


def webhook_ports(core: Core, around: Surroundings, push_wait_seconds: float) -> WebhookPorts:
    """Give what GitHub's webhooks need."""
    return WebhookPorts(
        verify=partial(verify, around.options.webhook_secret),
        payload_of=payload_of,
        decode=decode,
        inbox=core.inbox,
        wake=core.arrived.set,
        clock=core.rooms.clock,
        metrics=core.metrics,
        push_wait_seconds=push_wait_seconds,
    )


def further_routes(core: Core, around: Surroundings) -> list[Route]:
    """Give all other routes; the API's stand before the pages'."""
    rooms, options = core.rooms, around.options
    look = Look(rooms.cluster.workflows, rooms.clock)
    api = ApiPorts(
        Access(options.api_tokens), rooms, core.submitter, core.admission, look, options.github_url
    )
    pages = PagePorts(
        builds=rooms.builds,
        workflows=rooms.cluster.workflows,
        logs=rooms.cluster.logs,
        links=Links(html_address(options.github_url), rooms.argo_ui),
        access=access_of(around.config.pages, options.api_tokens, options.listen_host),
        clock=rooms.clock,
    )
    return [*_slack_routes(core, around), *api_routes(api), *page_routes(pages)]


def _slack_routes(core: Core, around: Surroundings) -> list[Route]:
    options, config = around.options, around.config
    if not options.slack_token:
        return []
    ports = SlackPorts(
        verify=partial(verify_slack, options.slack_secret),
        is_certificate_check=slack_commands.is_certificate_check,
        read=partial(slack_commands.read_command, slack_url=options.slack_url),
        access=config.slack.access,
        templates=config.templates,
        inbox=core.inbox,
        wake=core.arrived.set,
        clock=core.rooms.clock,
        metrics=core.metrics,
    )
    return [Route("/webhooks/slack/cmd", SlackWebhook(ports).__call__, methods=["POST"])]
