"""Do what a delivery asks for: from the event to the wish, from the wish to the use case."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from kubeci.errors import NoToken, RateLimited, UpstreamError
from kubeci.model.build import Build, BuildRequest
from kubeci.model.decision import Ignored
from kubeci.model.event import (
    BranchDeletedEvent,
    CommentEvent,
    Delivery,
    Event,
    RepositoryGoneEvent,
)
from kubeci.model.slack import SLACK_EVENT
from kubeci.model.trace import StepKind
from kubeci.model.trust import What
from kubeci.service.commands.handle import Commands
from kubeci.service.dispatch import Dispatcher
from kubeci.service.exclusive import Busy
from kubeci.service.gone import branch_gone, repository_gone
from kubeci.service.late import tell_late, too_late
from kubeci.service.patience import PEOPLE_WAIT, has_time
from kubeci.service.press import Presses
from kubeci.service.retry import Retrier
from kubeci.service.rooms import Rooms
from kubeci.service.slack import SlackCommands
from kubeci.service.submit import Submitter
from kubeci.service.wish import Press, StopRequest, Wish, told
from kubeci.tracing import note

T = TypeVar("T")


class Performer:
    """Works on deliveries, each of which may be handled more than once."""

    def __init__(
        self,
        rooms: Rooms,
        dispatcher: Dispatcher,
        submitter: Submitter,
        *,
        decode: Callable[[str, bytes], Event],
        slack: SlackCommands | None,
    ) -> None:
        """Work with `decode`, which turns an event's name and payload into an `Event`; `slack` takes its commands."""
        self._rooms = rooms
        self._dispatcher = dispatcher
        self._submitter = submitter
        self._decode = decode
        self._slack = slack
        self._retrier = Retrier(rooms, submitter)
        self._presses = Presses(rooms)
        self._commands = Commands(rooms, submitter, self._retrier)

    async def perform(self, delivery: Delivery, *, last_attempt: bool = False) -> str:
        """Do what a delivery asks for; gives what came of it in a sentence.

        Raises `UpstreamError` where trying again can help, `Unready` where that is worth a long wait, other errors of
        `kubeci.errors` where it is not. People wait for an answer, so that theirs is no long one.
        """
        try:
            return await self._perform(delivery, last_attempt=last_attempt)
        except NoToken as error:  # until the installation is let in again
            raise UpstreamError(
                str(error), status=error.status, retryable=True, public=error.public
            ) from error

    async def _perform(self, delivery: Delivery, *, last_attempt: bool) -> str:
        if delivery.event == SLACK_EVENT:
            return await self._soon(
                self._of_slack(delivery, last_attempt=last_attempt), delivery, last_attempt=last_attempt
            )
        event = self._decode(delivery.event, delivery.payload)
        wish = await self._dispatcher.wish_of(event, delivery.id)
        note(StepKind.DECIDED, told(wish))
        late = "" if isinstance(wish, Ignored) else too_late(event, delivery)
        if late:
            await self._soon(tell_late(event, late, self._rooms), delivery, last_attempt=last_attempt)
            return late
        if isinstance(wish, BuildRequest):
            return await self._build(wish, delivery, last_attempt=last_attempt)
        work = self._other(wish, delivery, last_attempt=last_attempt)
        if isinstance(wish, Press | CommentEvent):
            return await self._soon(work, delivery, last_attempt=last_attempt)
        return await work

    async def _of_slack(self, delivery: Delivery, *, last_attempt: bool) -> str:
        if self._slack is None:
            return "the server has no Slack any more"
        now = delivery.received_at
        return await self._slack.handle(delivery.payload, delivery.id, now, last_attempt=last_attempt)

    async def _build(self, request: BuildRequest, delivery: Delivery, *, last_attempt: bool) -> str:
        now, request = delivery.received_at, replace(request, delivery_id=delivery.id)
        request = replace(request, wanted_at=delivery.wanted_anew_at)
        former = await self._former(request) if request.what is What.RERUN else None
        if former:
            return await self._retrier.retry(former, request, now, last_attempt=last_attempt)
        return await self._submitter.submit(request, now, last_attempt=last_attempt)

    async def _former(self, request: BuildRequest) -> Build | None:
        """Find the build that somebody wants once more."""
        if request.of_build:
            return await self._rooms.builds.get(request.of_build)
        # Where this wish was dealt with before, its build has another check-run by now than the one it was pressed on.
        return await self._rooms.builds.of_retry(request.id)

    async def _other(self, wish: Wish, delivery: Delivery, *, last_attempt: bool) -> str:
        match wish:
            case StopRequest():
                return await self._submitter.stop(wish)
            case Press():
                return await self._presses.press(wish, last_attempt=last_attempt)
            case CommentEvent():
                now = delivery.received_at
                return await self._commands.handle(wish, delivery.id, now, last_attempt=last_attempt)
            case BranchDeletedEvent():
                return await branch_gone(wish, self._rooms)
            case RepositoryGoneEvent():
                return await repository_gone(wish, self._rooms)
            case Ignored():
                return wish.reason
            case BuildRequest():
                raise AssertionError("a build is none of the others")

    async def _soon(self, work: Coroutine[Any, Any, T], delivery: Delivery, *, last_attempt: bool) -> T:
        """Do what somebody waits for: each try counts, so that they are told in minutes.

        GitHub, by which they are told, is asked for an hour.
        """
        try:
            return await work
        except UpstreamError as error:
            in_time = has_time(delivery.wanted_at, self._rooms.clock(), PEOPLE_WAIT)
            if not (error.retryable or isinstance(error, NoToken)) or (
                isinstance(error, RateLimited | Busy) and in_time
            ):
                raise
            told, again = str(error), in_time or not last_attempt
            raise UpstreamError(told, status=error.status, retryable=again, public=error.public) from error
