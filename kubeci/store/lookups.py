"""What operators look up: deliveries and builds by a part of their id or commit, and what was said about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, func, select, true

from kubeci.model.build import Build
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.store.database import Database
from kubeci.store.deliveries import RECORD, record_of
from kubeci.store.rows import build_of
from kubeci.store.tables import builds, deliveries, logs

MOST_DIGITS = 18  # of a number that the store takes


@dataclass(frozen=True, slots=True)
class Sought:
    """Which deliveries are meant, as far as it is given: of `owner/name`, in one state, of an event, received since then."""

    repository: str = ""
    state: DeliveryState | None = None
    event: str = ""
    since: datetime | None = None


class SqlLookups:
    """Reads that only people ask for; nothing is written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliveries(
        self, sought: Sought, *, limit: int = 20, idle: Collection[str] | None = None
    ) -> list[DeliveryRecord]:
        """List deliveries, newest first; without those that asked for nothing where `idle` gives the reasons that say so.

        Those of which it was clear when they came were never tried.
        """
        condition = _sought(sought)
        if idle is not None:
            condition &= ~_idle(idle)
        return await self._records(_newest(condition).limit(limit))

    async def count_idle(self, sought: Sought, idle: Collection[str]) -> int:
        """Count the deliveries that asked for nothing; `idle` are the reasons that say so."""
        statement = select(func.count()).select_from(deliveries).where(_sought(sought) & _idle(idle))
        return await self._database.run(lambda connection: connection.execute(statement).scalar_one())

    async def deliveries_called(self, beginning: str, *, limit: int) -> list[DeliveryRecord]:
        """List deliveries whose id begins so, newest first."""
        return await self._records(_newest(_begins(deliveries.c.id, beginning)).limit(limit))

    async def deliveries_about(self, beginning: str, *, limit: int) -> list[DeliveryRecord]:
        """List deliveries about commits whose sha begins so, and those that builds of these were asked for by; newest first."""
        of_builds = select(builds.c.delivery_id).where(
            _begins(builds.c.sha, beginning), builds.c.delivery_id != ""
        )
        about = _begins(deliveries.c.sha, beginning) | deliveries.c.id.in_(of_builds)
        return await self._records(_newest(about).limit(limit))

    async def builds_asked_for_by(self, delivery_ids: Iterable[str]) -> list[Build]:
        """List the builds that these deliveries asked for, oldest first."""
        return await self._builds(builds.c.delivery_id.in_(list(delivery_ids)))

    async def builds_of(self, beginning: str, *, repository: str = "", limit: int) -> list[Build]:
        """List the newest builds of commits whose sha begins so, oldest first; of `owner/name` alone where it is given."""
        condition = _begins(builds.c.sha, beginning)
        if repository:
            condition &= func.lower(builds.c.owner + "/" + builds.c.name) == repository.lower()
        return await self._builds(condition, limit=limit)

    async def builds_called(self, name: str, *, limit: int) -> list[Build]:
        """List the newest builds whose id begins so, or whose workflow (`name`, `namespace/name`) or check-run is called so."""
        namespace, slash, workflow = name.rpartition("/")
        condition = builds.c.workflow_name == workflow
        if slash:
            condition &= builds.c.namespace == namespace
        else:
            condition |= _begins(builds.c.id, name)
        if name.isdecimal() and name.isascii() and len(name) <= MOST_DIGITS:
            condition |= builds.c.check_run_id == int(name)
        return await self._builds(condition, limit=limit)

    async def builds_around(self, repository: str, sha: str, *, limit: int) -> list[Build]:
        """List the builds of a commit and the newest of its repository `owner/name`, oldest first."""
        here = func.lower(builds.c.owner + "/" + builds.c.name) == repository.lower()
        newest = {build.id: build for build in await self._builds(here, limit=limit)}
        if sha:
            newest |= {build.id: build for build in await self._builds(here & (builds.c.sha == sha))}
        return sorted(newest.values(), key=lambda build: (build.created_at, build.id))

    async def logs_kept(self, build_id: str) -> int:
        """Count the logs of a build's nodes that are kept."""
        statement = select(func.count()).select_from(logs).where(logs.c.build_id == build_id)
        return await self._database.run(lambda connection: connection.execute(statement).scalar_one())

    async def _records(self, statement: Select[tuple[object, ...]]) -> list[DeliveryRecord]:
        return await self._database.run(
            lambda connection: [record_of(row) for row in connection.execute(statement)]
        )

    async def _builds(self, condition: ColumnElement[bool], *, limit: int | None = None) -> list[Build]:
        statement = select(builds).where(condition).order_by(builds.c.created_at.desc(), builds.c.id)

        def work(connection: Connection) -> list[Build]:
            return [build_of(row) for row in connection.execute(statement.limit(limit))][::-1]

        return await self._database.run(work)


def _sought(sought: Sought) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = true()
    if sought.repository:
        condition &= deliveries.c.repository == sought.repository.lower()
    if sought.state is not None:
        condition &= deliveries.c.state == sought.state.value
    if sought.event:
        condition &= deliveries.c.event == sought.event
    if sought.since is not None:
        condition &= deliveries.c.received_at >= sought.since.timestamp()
    return condition


def _idle(reasons: Collection[str]) -> ColumnElement[bool]:
    done = deliveries.c.state == DeliveryState.DONE.value
    return done & ((deliveries.c.attempts == 0) | deliveries.c.reason.in_(list(reasons)))


def _newest(condition: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return select(*RECORD).where(condition).order_by(deliveries.c.received_at.desc(), deliveries.c.id)


def _begins(column: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    return column.startswith(beginning, autoescape=True)
