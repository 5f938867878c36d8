"""Records of what GitHub was told about a build, of its logs, and of how its workflow looked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, delete, func, select

from kubeci.model.report import DeploymentTold, NodeLog, Outcome, Reported
from kubeci.store.database import Database
from kubeci.store.tables import deployments, logs, outcomes, reported
from kubeci.store.upsert import put


class SqlReports:
    """The part of the port `Builds` that is about reports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reported(self, build_id: str) -> Reported:
        """Read what GitHub was last told."""

        def work(connection: Connection) -> Reported:
            row = connection.execute(select(reported).where(reported.c.build_id == build_id)).first()
            if row is None:
                return Reported()
            written = None if row.written_at is None else datetime.fromtimestamp(row.written_at, UTC)
            return Reported(row.digest, written, row.writes, row.annotations, row.completed, row.sending)

        return await self._database.run(work)

    async def save_reported(self, build_id: str, told: Reported) -> None:
        """Remember what GitHub was told."""
        row = {**asdict(told), "build_id": build_id}
        row["written_at"] = told.written_at and told.written_at.timestamp()
        await self._database.run(lambda connection: put(connection, reported, row))

    async def logs(self, build_id: str) -> dict[str, NodeLog]:
        """Read the kept logs of a build by node id, in the order in which they were kept."""
        statement = (
            select(logs.c.body).where(logs.c.build_id == build_id).order_by(logs.c.kept_as, logs.c.node_id)
        )

        def work(connection: Connection) -> list[NodeLog]:
            return [
                msgspec.json.decode(body, type=NodeLog) for body in connection.execute(statement).scalars()
            ]

        return {log.node_id: log for log in await self._database.run(work)}

    async def save_log(self, build_id: str, log: NodeLog) -> None:
        """Keep the log of one node; a later attempt of the same node replaces it and comes last."""
        mine = logs.c.build_id == build_id

        def work(connection: Connection) -> None:
            last = connection.execute(select(func.max(logs.c.kept_as)).where(mine)).scalar() or 0
            row = {"build_id": build_id, "node_id": log.node_id, "kept_as": last + 1}
            put(connection, logs, row | {"body": msgspec.json.encode(log)})

        await self._database.run(work)

    async def forget_logs(self, build_id: str, node_ids: Iterable[str]) -> None:
        """Drop the kept logs of some nodes, which run again."""
        stale = (logs.c.build_id == build_id) & logs.c.node_id.in_(list(node_ids))
        await self._database.run(lambda connection: connection.execute(delete(logs).where(stale)))

    async def outcome(self, build_id: str) -> Outcome:
        """Read what is kept of a build's workflow and check-run."""
        statement = select(outcomes.c.body).where(outcomes.c.build_id == build_id)
        body = await self._database.run(lambda connection: connection.execute(statement).scalar())
        return msgspec.json.decode(body, type=Outcome) if body else Outcome()

    async def save_outcome(self, build_id: str, outcome: Outcome) -> None:
        """Keep how a build's workflow and check-run look."""
        row = {"build_id": build_id, "body": msgspec.json.encode(outcome)}
        await self._database.run(lambda connection: put(connection, outcomes, row))

    async def deployments(self, build_id: str) -> dict[str, DeploymentTold]:
        """Read the deployments of a build by node id."""
        statement = select(deployments).where(deployments.c.build_id == build_id)

        def work(connection: Connection) -> dict[str, DeploymentTold]:
            rows = connection.execute(statement)
            return {row.node_id: msgspec.json.decode(row.body, type=DeploymentTold) for row in rows}

        return await self._database.run(work)

    async def save_deployment(self, build_id: str, node_id: str, told: DeploymentTold) -> None:
        """Remember the deployment of a node, and what GitHub was last told of it."""
        row = {"build_id": build_id, "node_id": node_id, "body": msgspec.json.encode(told)}
        await self._database.run(lambda connection: put(connection, deployments, row))
