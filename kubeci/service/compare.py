"""Find what GitHub's list of deliveries does not hold any more: heads without a check-run of ours, since a moment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from kubeci.errors import Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.heads import Head, Installed
from kubeci.model.repository import Commit, Repository
from kubeci.policy.missed import OPENED, missed
from kubeci.ports import Builds, Heads, Inbox
from kubeci.service.dispatch import Admission

GONE = (NotFound, Forbidden, Invalid)
"""What a repository answers that was deleted, blocked or taken from the App meanwhile."""
TRIES, PATIENCE = 10, timedelta(hours=1)
"""So often, and for so long, a repository is tried that GitHub cannot read, before the others go on without it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Compared:
    """How many deliveries were made, and how many repositories were given up."""

    made: int = 0
    given_up: int = 0


@dataclass(slots=True)
class _Progress:
    """What was done before it failed: many repositories take more requests than there are in an hour."""

    since: datetime
    until: datetime
    done: set[Repository] = field(default_factory=set)
    failures: dict[Repository, tuple[int, datetime]] = field(default_factory=dict)
    """How often each failed, and when first."""
    made: int = 0
    given_up: int = 0

    def failed(self, repository: Repository, now: datetime) -> bool:
        """Note that a repository failed; True: it is given up."""
        times, first = self.failures.get(repository, (0, now))
        self.failures[repository] = times + 1, first
        return times + 1 >= TRIES and now - first >= PATIENCE


@dataclass(slots=True)
class Comparison:
    """What comparing works with."""

    heads: Heads
    builds: Builds
    inbox: Inbox
    admission: Admission
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    _progress: _Progress | None = None

    async def compare(self, since: datetime, until: datetime) -> Compared:
        """Put into the inbox what was missed from `since` on; from `until` on GitHub's list holds all.

        What is put there is what GitHub would have sent, and is judged like that; twice the same is one. Raises
        `UpstreamError` when GitHub or the store fail, to be taken up where it ended; where one repository fails, after the
        others, and only so often.
        """
        if self._progress is None or (self._progress.since, self._progress.until) != (since, until):
            self._progress = _Progress(since, until)
        progress = self._progress
        failed: UpstreamError | None = None
        for each in await self._repositories(progress.done):
            try:
                progress.made += await self._of(each, since, until)
            except GONE as error:
                name = each.repository.full_name
                log.warning("a repository cannot be compared", repository=name, error=str(error))
            except RateLimited:
                raise
            except UpstreamError as error:
                if not progress.failed(each.repository, self.clock()):
                    failed = error
                    continue
                progress.given_up += 1
                log.warning(
                    "a repository is given up", repository=each.repository.full_name, error=str(error)
                )
            progress.done.add(each.repository)
        if failed:
            raise failed
        self._progress = None
        return Compared(progress.made, progress.given_up)

    async def _repositories(self, done: Collection[Repository]) -> list[Installed]:
        """List what is still to be compared, of all installations that we serve."""
        found: list[Installed] = []
        for installation in await self.heads.installations():
            if self.admission.refusal(Repository(installation.owner, "", installation.id)):
                continue
            try:
                found += await self.heads.repositories(installation)
            except GONE as error:
                log.warning("an installation cannot be read", owner=installation.owner, error=str(error))
        return [each for each in found if each.repository not in done]

    async def _of(self, installed: Installed, since: datetime, until: datetime) -> int:
        repository = installed.repository
        heads = await self.heads.heads(repository, since)
        found = [(each, action) for each in heads if (action := missed(each, since, until))]
        ids = {_id(repository, head): (head, action) for head, action in found}
        known = await self.inbox.known(ids) if ids else frozenset()
        made = 0
        for delivery_id, (head, action) in ids.items():
            if delivery_id in known or (action != OPENED and await self._built(repository, head)):
                continue
            event, payload = await self.heads.event(installed, head, action)
            now = self.clock()
            name, sha = repository.full_name, head.sha
            made += await self.inbox.add(Delivery(delivery_id, event, payload, now, repository=name, sha=sha))
            log.info(
                "an event was missed", delivery=delivery_id, repository=name, sha=sha, github_event=event
            )
            self.wake()
        return made

    async def _built(self, repository: Repository, head: Head) -> bool:
        """Say whether we know a build of a commit, whose check-run is under way or was never made."""
        return await self.builds.of_commit(Commit(repository, head.sha)) is not None


def _id(repository: Repository, head: Head) -> str:
    """Identify the event of a head, so that it is put into the inbox once."""
    about = str(head.number) if head.number else f"refs/heads/{head.name}"
    parts = (repository.full_name.lower(), about, head.sha)
    return "sweep-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
