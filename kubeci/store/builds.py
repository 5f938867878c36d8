"""Records of builds, of what GitHub was told about them, and of their logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from kubeci.model.build import Build, BuildState
from kubeci.model.json import JsonObject
from kubeci.model.report import NodeLog, Reported
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.store.database import Database
from kubeci.store.tables import builds, logs, reported

_UNFINISHED = builds.c.state.in_((BuildState.SUBMITTING.value, BuildState.RUNNING.value))


class SqlBuilds:
    """The builds of `kubeci.ports` in tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, build: Build) -> Build:
        """Record a build; gives the record that stands, the earlier one when the id is known."""

        def work(connection: Connection) -> Build:
            connection.execute(insert(builds).values(_row_of(build)).on_conflict_do_nothing())
            return _build_of(connection.execute(select(builds).where(builds.c.id == build.id)).one())

        return await self._database.run(work)

    async def change(self, build_id: str, **changes: str | int) -> Build:
        """Change some fields of a build's record, leaving those to others that others change; gives the new record."""
        mine = builds.c.id == build_id

        def work(connection: Connection) -> Build:
            connection.execute(update(builds).where(mine).values(**changes))
            return _build_of(connection.execute(select(builds).where(mine)).one())

        return await self._database.run(work)

    async def begin(self, build_id: str) -> None:
        """Note that all of a build's submission is done; one that ended meanwhile stays finished."""
        submitting = (builds.c.id == build_id) & (builds.c.state == BuildState.SUBMITTING)
        statement = update(builds).where(submitting).values(state=BuildState.RUNNING.value)
        await self._database.run(lambda connection: connection.execute(statement))

    async def get(self, build_id: str) -> Build | None:
        """Read a build by its id."""
        return await self._one(builds.c.id == build_id)

    async def of_workflow(self, namespace: str, name: str) -> Build | None:
        """Find the build that was submitted under a workflow's name."""
        return await self._one((builds.c.namespace == namespace) & (builds.c.workflow_name == name))

    async def of_check_run(self, repository: Repository, check_run_id: int) -> Build | None:
        """Find the build that a check-run of this repository stands for."""
        return await self._one(
            (builds.c.check_run_id == check_run_id)
            & (builds.c.owner == repository.owner)
            & (builds.c.name == repository.name)
        )

    async def is_built(self, commit: Commit, ref: Ref, *, but: str) -> bool:
        """Say whether a commit has a build other than `but`; a tag's builds count for that tag alone."""
        repository = commit.repository
        condition = (
            (builds.c.sha == commit.sha)
            & (builds.c.owner == repository.owner)
            & (builds.c.name == repository.name)
            & (builds.c.ref_type == ref.type)
            & (builds.c.id != but)
            & (builds.c.state != BuildState.SKIPPED.value)
        )
        if ref.type is RefType.TAG:
            condition &= builds.c.ref_name == ref.name
        return await self._one(condition) is not None

    async def unfinished(self) -> list[Build]:
        """List the builds whose check-run is not concluded, oldest first."""
        return await self._all(_UNFINISHED)

    async def unfinished_of(self, build: Build) -> list[Build]:
        """List the unfinished builds of the same repository, ref and entrypoint's check, oldest first."""
        repository = build.commit.repository
        return await self._all(
            (_UNFINISHED)
            & (builds.c.owner == repository.owner)
            & (builds.c.name == repository.name)
            & (builds.c.ref_type == build.ref.type)
            & (builds.c.ref_name == build.ref.name)
            # A fork's branch may have the name of one of ours.
            & (builds.c.head_repository == build.head_repository)
            & (builds.c.check_name == build.check_name)
        )

    async def unfinished_of_branch(self, repository: Repository, branch: str, fork: str) -> list[Build]:
        """List the unfinished builds of a branch, of the fork `owner/name` where that is not empty."""
        return await self._all(
            _UNFINISHED
            & (builds.c.owner == repository.owner)
            & (builds.c.name == repository.name)
            & (builds.c.ref_type == RefType.BRANCH.value)
            & (builds.c.ref_name == branch)
            & (builds.c.head_repository == fork)
        )

    async def of_commit(self, commit: Commit) -> Build | None:
        """Find the newest build of a commit that was no tag's."""
        found = await self._all(
            (builds.c.sha == commit.sha)
            & (builds.c.owner == commit.repository.owner)
            & (builds.c.name == commit.repository.name)
            & (builds.c.ref_type == RefType.BRANCH.value)
        )
        return found[-1] if found else None

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
        statement = insert(reported).values(row).on_conflict_do_update(index_elements=["build_id"], set_=row)
        await self._database.run(lambda connection: connection.execute(statement))

    async def logs(self, build_id: str) -> dict[str, NodeLog]:
        """Read the kept logs of a build by node id, in the order in which they were kept."""
        statement = select(logs.c.body).where(logs.c.build_id == build_id).order_by(logs.c.kept_as)

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
            connection.execute(delete(logs).where(mine, logs.c.node_id == log.node_id))
            row = {"build_id": build_id, "node_id": log.node_id, "kept_as": last + 1}
            connection.execute(insert(logs).values(row | {"body": msgspec.json.encode(log)}))

        await self._database.run(work)

    async def forget_logs(self, build_id: str, node_ids: Iterable[str]) -> None:
        """Drop the kept logs of some nodes, which run again."""
        stale = (logs.c.build_id == build_id) & logs.c.node_id.in_(list(node_ids))
        await self._database.run(lambda connection: connection.execute(delete(logs).where(stale)))

    async def forget(self, before: datetime) -> int:
        """Delete finished builds from before `before`, with all that hangs on them; gives their number."""

        def work(connection: Connection) -> int:
            old = (~_UNFINISHED) & (builds.c.created_at < before.timestamp())
            ids = select(builds.c.id).where(old)
            for table in (logs, reported):
                connection.execute(delete(table).where(table.c.build_id.in_(ids)))
            return connection.execute(delete(builds).where(old)).rowcount

        return await self._database.run(work)

    async def _one(self, condition: ColumnElement[bool]) -> Build | None:
        found = await self._all(condition)
        return found[0] if found else None

    async def _all(self, condition: ColumnElement[bool]) -> list[Build]:
        statement = select(builds).where(condition).order_by(builds.c.created_at, builds.c.id)
        return await self._database.run(
            lambda connection: [_build_of(row) for row in connection.execute(statement)]
        )


def _row_of(build: Build) -> JsonObject:
    repository = build.commit.repository
    return {
        "id": build.id,
        "owner": repository.owner,
        "name": repository.name,
        "installation_id": repository.installation_id,
        "sha": build.commit.sha,
        "ref_type": build.ref.type.value,
        "ref_name": build.ref.name,
        "entrypoint": build.entrypoint,
        "check_name": build.check_name,
        "namespace": build.namespace,
        "workflow_name": build.workflow_name,
        "created_at": build.created_at.timestamp(),
        "nonce": build.nonce,
        "workflow_uid": build.workflow_uid,
        "check_run_id": build.check_run_id,
        "state": build.state.value,
        "superseded_by": build.superseded_by,
        "head_repository": build.head_repository,
        "pull_request": build.pull_request,
        "stopped": build.stopped,
        "warnings": msgspec.json.encode(build.warnings),
        "prints": msgspec.json.encode(build.prints),
        "loaded": msgspec.json.encode(build.loaded),
    }


def _build_of(row: Row[Any]) -> Build:
    return Build(
        id=row.id,
        commit=Commit(Repository(row.owner, row.name, row.installation_id), row.sha),
        ref=Ref(row.ref_name, RefType(row.ref_type)),
        entrypoint=row.entrypoint,
        check_name=row.check_name,
        namespace=row.namespace,
        workflow_name=row.workflow_name,
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        nonce=row.nonce,
        workflow_uid=row.workflow_uid,
        check_run_id=row.check_run_id,
        state=BuildState(row.state),
        superseded_by=row.superseded_by,
        head_repository=row.head_repository,
        pull_request=row.pull_request,
        stopped=row.stopped,
        warnings=msgspec.json.decode(row.warnings, type=tuple[str, ...]),
        prints=msgspec.json.decode(row.prints, type=tuple[str, ...]),
        loaded=msgspec.json.decode(row.loaded, type=tuple[str, ...]),
    )
