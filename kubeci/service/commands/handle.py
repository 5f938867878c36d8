"""Obey the slash commands of a comment, and answer (contract, section 8)."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

import structlog

from kubeci.errors import DefinitionError, Forbidden, Invalid, NotFound, UpstreamError
from kubeci.model.event import CommentEvent
from kubeci.model.trust import What
from kubeci.policy.commands import HELP, NO_COMMAND, OF_A_BOT, Line, Malformed, parse_commands
from kubeci.report.markdown import code
from kubeci.service.answer import Answer, refused
from kubeci.service.commands.asked import Asked
from kubeci.service.commands.cancel import cancel_all
from kubeci.service.commands.deploy import deploy
from kubeci.service.commands.ok_to_test import ok_to_test
from kubeci.service.commands.reply import Reply, reply_to
from kubeci.service.commands.retry import retry
from kubeci.service.commands.run import run
from kubeci.service.commands.setup import setup
from kubeci.service.commands.verbs import help_text, unknown
from kubeci.service.judge import Judge
from kubeci.service.retry import Retrier
from kubeci.service.rooms import Rooms
from kubeci.service.submit import Submitter

MEMBERS_ONLY = "you must be an organisation member to execute commands"
REMEMBERED = 1_000  # answers of comments that are to be tried again

log = structlog.get_logger(__name__)


class Commands:
    """Obeys the commands of comments; the same comment handled twice is obeyed once."""

    def __init__(self, rooms: Rooms, submitter: Submitter, retrier: Retrier) -> None:
        self._rooms = rooms
        self._submitter = submitter
        self._retrier = retrier
        self._judge = Judge(rooms.config, rooms.github.people)
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    async def handle(
        self, event: CommentEvent, delivery_id: str, now: datetime, *, last_attempt: bool = False
    ) -> str:
        """Obey a comment's commands in their order and answer it; gives what came of it in a sentence.

        A command that fails leaves those before and after it alone. Raises an `UpstreamError` that may pass, for the
        caller to try again, unless this is the last attempt.
        """
        lines = parse_commands(event.text)
        if not lines:
            return NO_COMMAND
        if event.author.bot:  # our own answers come this way too
            return OF_A_BOT
        refusal = await self._refusal(event, last_attempt=last_attempt)
        if refusal:
            return await self._tell(event, Reply("-1", refusal))
        wishes = [f"{delivery_id}:{index}" for index in range(len(lines))]
        answers = [
            await self._once(line, event, wish, now, last_attempt=last_attempt)
            for line, wish in zip(lines, wishes, strict=True)
        ]
        told = await self._tell(event, reply_to(lines, answers))
        for wish in wishes:
            self._answers.pop(wish, None)
        return told

    async def _refusal(self, event: CommentEvent, *, last_attempt: bool) -> str:
        try:
            allowed = await self._judge.may(What.COMMAND, event.author, event.repository)
        except UpstreamError as error:
            if error.retryable and not last_attempt:
                raise
            return f"GitHub does not say whether you may execute commands: {code(str(error), 500)}"
        return "" if allowed else MEMBERS_ONLY

    async def _tell(self, event: CommentEvent, reply: Reply) -> str:
        """Answer a comment; what was done stays done where GitHub does not take the answer, as on a deleted comment."""
        conversation = self._rooms.github.conversation
        try:
            if reply.text:
                await conversation.reply(event.post, reply.text)
            await conversation.react(event.post, reply.reaction)
        except (Forbidden, Invalid, NotFound) as error:
            log.warning("GitHub does not take an answer", comment=event.post.url, error=str(error))
            return f"{reply.summary}; GitHub does not take the answer: {error}"
        return reply.summary

    async def _once(
        self, line: Line, event: CommentEvent, wish: str, now: datetime, *, last_attempt: bool
    ) -> Answer:
        """Answer a line; what an earlier try for the same comment came to is not done again."""
        if wish in self._answers:
            return self._answers[wish]
        if isinstance(line, Malformed):
            answer = refused(line.reason)
        else:
            answer = await self._attempt(Asked(event, line, wish, now, last_attempt))
        self._answers[wish] = answer
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        return answer

    async def _attempt(self, asked: Asked) -> Answer:
        try:
            return await self._obey(asked)
        except UpstreamError as error:
            if error.retryable and not asked.last_attempt:
                raise
            return refused(code(error.public, 500))
        except DefinitionError as error:
            return refused(code(str(error), 500))

    async def _obey(self, asked: Asked) -> Answer:
        rooms = self._rooms
        match asked.command.name:
            case "run":
                return await run(asked, rooms, self._submitter)
            case "ok-to-test":
                return await ok_to_test(asked, rooms, self._submitter)
            case "cancel":
                return await cancel_all(asked, rooms)
            case "retry":
                return await retry(asked, rooms, self._retrier)
            case "deploy":
                return await deploy(asked, rooms)
            case "setup":
                return await setup(asked, rooms)
            case name if name == HELP:
                return Answer(help_text(rooms.config))
            case name:
                return unknown(name, rooms.config)
