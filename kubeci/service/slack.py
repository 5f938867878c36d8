"""Carry out Slack's slash commands, and tell what came of them (contract, section 9)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from kubeci.errors import Forbidden, KubeCIError, RateLimited, UpstreamError
from kubeci.model.slack import SlackCommand, SlackMessage
from kubeci.model.trust import Person, What
from kubeci.policy.slack import Misunderstood, SlackWish, may, refusal, wish_of
from kubeci.service.answer import Answer
from kubeci.service.ask_to_deploy import ask_to_deploy
from kubeci.service.dispatch import Admission
from kubeci.service.identity import explicit_build_id
from kubeci.service.named import Asker, Named, find_repository, request_of_ref
from kubeci.service.rooms import Rooms
from kubeci.service.set_up import set_up
from kubeci.service.slack_answers import answered, ended, failed
from kubeci.service.subject import subject_of
from kubeci.service.submit import Submitter
from kubeci.settings.slack import SlackVerb

PAUSES = (1.0, 5.0)
"""Seconds before the second, third, … try to answer."""
LONGEST_PAUSE_SECONDS = 15.0

log = structlog.get_logger(__name__)


class SlackResponses(Protocol):
    """Answers to slash commands."""

    async def respond(self, response_url: str, text: str, *, public: bool) -> None:
        """Answer a command with mrkdwn; `NotFound` when it is too late or was answered too often."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command as it is carried out."""

    command: SlackCommand
    wish: SlackWish
    asker: Asker
    received_at: datetime
    last_attempt: bool


class SlackCommands:
    """Does what commands of the inbox ask for; handled again, a command means the same build."""

    def __init__(
        self,
        rooms: Rooms,
        submitter: Submitter,
        slack: SlackResponses,
        admission: Admission,
        *,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        """Work for the repositories of `admission`; `pauses` stand between the tries to answer."""
        self._admission = admission
        self._rooms = rooms
        self._submitter = submitter
        self._slack = slack
        self._pauses = pauses

    async def handle(
        self, payload: bytes, delivery_id: str, now: datetime, *, last_attempt: bool = False
    ) -> str:
        """Carry out a stored command and answer it; gives what came of it in a sentence.

        An `UpstreamError` that may pass is raised, for the caller to try again; at the last attempt it is told and final.
        """
        command = msgspec.json.decode(payload, type=SlackCommand)
        wish = wish_of(command)
        if isinstance(wish, Misunderstood):
            return wish.reason
        who = Person(f"slack:{command.user_id}")
        asker = Asker(explicit_build_id(delivery_id), What.SLACK, who, delivery_id)
        try:
            outcome, message = await self._carry_out(_Asked(command, wish, asker, now, last_attempt))
        except Exception as error:
            if not isinstance(error, KubeCIError):
                told = "given up: a defect of the server, which its log describes"
            elif isinstance(error, UpstreamError) and error.retryable:
                told = f"given up: {error.public}"
            else:
                return str(error) + await self._tell(command, failed(wish, error.public))
            if last_attempt:
                await self._tell(command, failed(wish, told))
                if isinstance(error, UpstreamError):  # they were told that it is not tried any more
                    raise UpstreamError(str(error), status=error.status, public=error.public) from error
            raise
        return outcome + await self._tell(command, message)

    async def _carry_out(self, asked: _Asked) -> tuple[str, SlackMessage]:
        """Give what came of a wish, and the message that tells it."""
        # The settings may have changed since it was stored, and GitHub may know the repository by another name.
        self._check(asked, asked.wish.full_name)
        named = await find_repository(asked.wish.owner, asked.wish.name, self._rooms)
        self._check(asked, named.repository.full_name)
        if ignored := self._admission.refusal(named.repository):
            raise Forbidden(f"{named.repository.full_name} is not served here: {ignored.reason}")
        match asked.wish.verb:
            case SlackVerb.BUILD:
                return await self._build(asked, named)
            case SlackVerb.DEPLOY:
                answer = await self._deploy(asked, named)
            case SlackVerb.SETUP:
                answer = await self._set_up(asked, named)
        return answer.text, answered(asked.wish, answer)

    async def _build(self, asked: _Asked, named: Named) -> tuple[str, SlackMessage]:
        request = await request_of_ref(named, asked.wish.word(0), self._rooms, asked.asker)
        outcome = await self._submitter.submit(request, asked.received_at, last_attempt=asked.last_attempt)
        return outcome, ended(asked.wish, outcome, await self._address(request.id))

    async def _deploy(self, asked: _Asked, named: Named) -> Answer:
        request = await request_of_ref(named, "", self._rooms, asked.asker)
        return await ask_to_deploy(request, asked.wish.word(0), "", self._rooms, asked.asker.build_id)

    async def _set_up(self, asked: _Asked, named: Named) -> Answer:
        command, wish = asked.command, asked.wish
        by = f"{command.user_name} ({asked.asker.actor.login})".lstrip()
        place = f"https://app.slack.com/client/{command.team_id}/{command.channel_id}"
        return await set_up(named, wish.word(1), wish.word(0), by, place, self._rooms)

    def _check(self, asked: _Asked, full_name: str) -> None:
        command, wish = asked.command, asked.wish
        if not may(command, wish.verb, full_name, self._rooms.config.slack.access):
            raise Forbidden(refusal(command, wish.verb, wish.full_name))

    async def _address(self, build_id: str) -> str:
        """Give where a build's workflow is shown; empty: it has none."""
        build = await self._rooms.builds.get(build_id)
        return subject_of(build, self._rooms.argo_ui).details_url if build and build.workflow_uid else ""

    async def _tell(self, command: SlackCommand, message: SlackMessage) -> str:
        """Answer a command; gives what stands in the way of that, empty: nothing did.

        What was carried out stays so: an answer that Slack does not take is no reason to do it again.
        """
        for pause in (*self._pauses, None):
            try:
                await self._slack.respond(command.response_url, message.text, public=message.public)
            except UpstreamError as error:
                wait = _wait(error, pause)
                if wait is None:
                    log.warning(
                        "a Slack command was not answered", channel=command.channel_id, error=str(error)
                    )
                    return f"; not told: {error}"
                await asyncio.sleep(wait)
            else:
                break
        return ""


def _wait(error: UpstreamError, pause: float | None) -> float | None:
    """Say how long to wait before the next try; None: there is none."""
    if pause is None or not error.retryable:
        return None
    wait = max(pause, error.retry_after) if isinstance(error, RateLimited) else pause
    return wait if wait <= LONGEST_PAUSE_SECONDS else None
