"""Do not obey what somebody asked for long ago: they have asked once more since, or done without."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from kubeci.errors import Forbidden, Invalid, NotFound
from kubeci.model.event import CommentEvent, Delivery, DeploymentEvent, Event
from kubeci.policy.commands import parse_commands
from kubeci.service.deployments import DeploymentReports
from kubeci.service.identity import deployment_build_id
from kubeci.service.patience import CLOCKS_DIFFER, PEOPLE_WAIT, has_time
from kubeci.service.rooms import Rooms

log = structlog.get_logger(__name__)


def too_late(event: Event, delivery: Delivery) -> str:
    """Say that an event comes too late to be obeyed; empty: it does not.

    By GitHub's time in a comment or a deployment, since a redelivery is received now. What was received in time may
    wait for as long as its work may.
    """
    asked_at = _asked_at(event)
    if asked_at is None or has_time(asked_at, delivery.wanted_at, PEOPLE_WAIT + CLOCKS_DIFFER):
        return ""
    return f"too late (asked at {asked_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC): ask again"


def _asked_at(event: Event) -> datetime | None:
    if isinstance(event, CommentEvent):
        return None if event.author.bot or not parse_commands(event.text) else event.post.created_at
    return event.created_at if isinstance(event, DeploymentEvent) else None


async def tell_late(event: Event, reason: str, rooms: Rooms) -> None:
    """Tell who asked, under their comment or on their deployment; one that was obeyed in time keeps its status."""
    if isinstance(event, DeploymentEvent):
        repository, number = event.repository, event.deployment_id
        if await rooms.builds.get(deployment_build_id(repository, number)) is None:
            await DeploymentReports(rooms).refused(repository, number, reason)
    elif isinstance(event, CommentEvent):
        try:
            await rooms.github.conversation.reply(event.post, reason)
            await rooms.github.conversation.react(event.post, "confused")
        except (Forbidden, Invalid, NotFound) as error:
            log.warning("GitHub does not take an answer", comment=event.post.url, error=str(error))
