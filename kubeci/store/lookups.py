"""What operators look up: deliveries and builds by a part of their id or commit, and what was said about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, func, select

from kubeci.model.build import Build
from kubeci.model.inbox import DeliveryRecord, DeliveryState
from kubeci.store.database import Database
from kubeci.store.deliveries import RECORD, record_of
from kubeci.store.rows import build_of
from kubeci.store.tables import builds, deliveries, logs


class SqlLookups:
    """Reads that only people ask for; nothing is written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def deliveries(
        self,
        *,
        repository: str = "",
        state: DeliveryState | None = None,
        since: datetime | None = None,
        limit: int = 20,
    ) -> list[DeliveryRecord]:
        """List deliveries, newest first: of `owner/name`, in one state, received since then, as far as these are given."""
        statement = select(*RECORD).order_by(deliveries.c.received_at.desc(), deliveries.c.id).limit(limit)
        if repository:
            statement = statement.where(deliveries.c.repository == repository.lower())
        if state is not None:
            statement = statement.where(deliveries.c.state == state.value)
        if since is not None:
            statement = statement.where(deliveries.c.received_at >= since.timestamp())
        return await self._records(statement)

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


def _newest(condition: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return select(*RECORD).where(condition).order_by(deliveries.c.received_at.desc(), deliveries.c.id)


def _begins(column: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    return column.startswith(beginning, autoescape=True)
