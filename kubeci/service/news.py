"""Tell Slack channels of failures, recoveries and deployments; GitHub's reports never wait for it (contract, section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import structlog

from kubeci.errors import UpstreamError
from kubeci.model.build import Build
from kubeci.model.check_run import CheckRun
from kubeci.model.deployment import DeploymentState
from kubeci.report.news import Item, news_of_build, news_of_deployment
from kubeci.service.queue import KeyedQueue, backoff_seconds
from kubeci.service.recent import RecentSet
from kubeci.settings.slack import SlackNews

MAX_WAITING = 1_000
"""Messages that wait; where Slack is away for long, newer ones are dropped."""
MAX_TRIES = 6  # about half a minute of backoff; news that is older is none
REMEMBERED = 2_000

log = structlog.get_logger(__name__)


class SlackChannels(Protocol):
    """Messages to channels."""

    async def post(self, channel: str, text: str) -> None:
        """Write mrkdwn to a channel, by its id or name; `NotFound`, `Forbidden` when we may not."""


@dataclass(slots=True)
class _Letter:
    text: str
    tries: int = 0


_Key: TypeAlias = tuple[str, str]
"""The channel, and what the message is about."""


class News:
    """Tells each channel what the settings say; a channel is told the same thing once, as long as the process lives."""

    def __init__(
        self,
        rows: Iterable[SlackNews],
        slack: SlackChannels,
        github: str,
        *,
        backoff: Callable[[int], float] = backoff_seconds,
    ) -> None:
        """Work with the rows of the setting `slack.news`; `github` is the address of GitHub's pages."""
        self._rows = tuple(rows)
        self._slack = slack
        self._github = github
        self._told = RecentSet[_Key](REMEMBERED)
        self._complained = RecentSet[_Key](REMEMBERED)
        self._queue: KeyedQueue[_Key, _Letter] = KeyedQueue(self._send, workers=1, backoff=backoff)

    @property
    def waiting(self) -> int:
        """Count the messages that are still to be sent."""
        return len(self._queue)

    async def run(self) -> None:
        """Send what is to be told until cancelled."""
        await self._queue.run()

    def build_ended(self, build: Build, check: CheckRun, previous: Build | None) -> None:
        """Tell of a build of the default branch that ended, at once and without waiting; a fork's is no news.

        `previous` is the newest earlier build of the same check name there that succeeded or failed.
        """
        if not build.head_repository:
            item = news_of_build(build, check, previous, self._github)
            self._tell(build, item, f"build {build.id} {build.check_run_id}")

    def deployment_ended(self, build: Build, environment: str, state: DeploymentState, url: str) -> None:
        """Tell of a deployment that ended, at once and without waiting; `url` is where it is seen."""
        item = news_of_deployment(build, environment, state, url, self._github)
        self._tell(build, item, f"deployment {build.id} {build.check_run_id} {environment} {state}")

    def _tell(self, build: Build, item: Item | None, about: str) -> None:
        if item is None:
            return
        name = build.commit.repository.full_name
        for row in self._rows:
            if item.on not in row.on or not any(each.matches_all(name) for each in row.repositories):
                continue
            key = (row.channel, f"{about} {item.on}")
            if key in self._told:
                continue
            if len(self._queue) >= MAX_WAITING:
                log.warning("news is dropped, since too much of it waits", channel=row.channel)
                continue
            self._told.add(key)
            self._queue.put(key, _Letter(item.text))

    async def _send(self, key: _Key, letter: _Letter) -> None:
        """Send a message; raises, for the queue to try again, what may pass."""
        channel, _ = key
        letter.tries += 1
        try:
            await self._slack.post(channel, letter.text)
        except Exception as error:
            passing = error.retryable if isinstance(error, UpstreamError) else True
            if passing and letter.tries < MAX_TRIES:
                raise
            complaint = (channel, str(error))
            if complaint not in self._complained:
                self._complained.add(complaint)
                log.error("a channel could not be told the news", channel=channel, error=str(error))  # noqa: TRY400 - no defect of ours
