"""Records of builds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, select, update

from kubeci.model.build import Build, BuildState
from kubeci.model.check_run import Conclusion
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.trust import What
from kubeci.store.reports import SqlReports
from kubeci.store.rows import build_of, row_of
from kubeci.store.tables import builds, deployments, logs, outcomes, reported
from kubeci.store.upsert import add

_OF_ID = select(builds).where(builds.c.id == bindparam("sought"))
_UNFINISHED = builds.c.state.in_((BuildState.SUBMITTING.value, BuildState.RUNNING.value))


DESCRIBED = ("check_name", "entrypoint", "plan", "warnings", "prints", "loaded", "pull_request")
ENDS_OF_NOTE = ("success", "failure", "timed_out")


class SqlBuilds(SqlReports):
    """The builds of `kubeci.ports` in tables."""

    async def add(self, build: Build) -> Build:
        """Record a build; gives the record that stands, the earlier one when the id is known."""

        def work(connection: Connection) -> Build:
            add(connection, builds, row_of(build))
            return build_of(connection.execute(_OF_ID, {"sought": build.id}).one())

        return await self._database.run(work)

    async def change(self, build_id: str, **changes: str | int | datetime | None) -> Build:
        """Change some fields of a build's record, leaving those to others that others change; gives the new record."""
        values = {
            key: value.timestamp() if isinstance(value, datetime) else value for key, value in changes.items()
        }
        statement = update(builds).where(builds.c.id == build_id).values(**values).returning(builds)

        def work(connection: Connection) -> Build:
            return build_of(connection.execute(statement).one())

        return await self._database.run(work)

    async def warn(self, build_id: str, warnings: tuple[str, ...]) -> None:
        """Replace what the author should know of a build."""
        statement = (
            update(builds).where(builds.c.id == build_id).values(warnings=msgspec.json.encode(warnings))
        )
        await self._database.run(lambda connection: connection.execute(statement))

    async def describe(self, build: Build) -> None:
        """Replace what the definition says of a build that was recorded before its definition could be read."""
        row = row_of(build)
        values = {key: row[key] for key in DESCRIBED}
        statement = update(builds).where(builds.c.id == build.id).values(values)
        await self._database.run(lambda connection: connection.execute(statement))

    async def begin(self, build_id: str) -> None:
        """Note that all of a build's submission is done; one that ended meanwhile stays finished."""
        submitting = (builds.c.id == build_id) & (builds.c.state == BuildState.SUBMITTING)
        statement = update(builds).where(submitting).values(state=BuildState.RUNNING.value)
        await self._database.run(lambda connection: connection.execute(statement))

    async def get(self, build_id: str) -> Build | None:
        """Read a build by its id."""
        found = await self._read(_OF_ID, {"sought": build_id})
        return found[0] if found else None

    async def of_workflow(self, namespace: str, name: str) -> Build | None:
        """Find the build that was submitted under a workflow's name."""
        return await self._one((builds.c.namespace == namespace) & (builds.c.workflow_name == name))

    async def of_check_run(self, repository: Repository, check_run_id: int) -> Build | None:
        """Find the build that a check-run of this repository stands for, or stood for until its workflow was retried."""
        here = (builds.c.owner == repository.owner) & (builds.c.name == repository.name)
        return await self._one((builds.c.check_run_id == check_run_id) & here) or await self._one(
            (builds.c.retried_check_run == check_run_id) & here
        )

    async def of_retry(self, wish: str) -> Build | None:
        """Find the build whose workflow was retried last by a wish."""
        return await self._one(builds.c.retry_wish == wish)

    async def is_built(self, commit: Commit, ref: Ref, *, but: str) -> bool:
        """Say whether a commit has a build other than `but`; a tag's builds count for that tag alone."""
        repository = commit.repository
        condition = (
            (builds.c.sha == commit.sha)
            & (builds.c.owner == repository.owner)
            & (builds.c.name == repository.name)
            & (builds.c.ref_type == ref.type)
            & (builds.c.id != but)
            & builds.c.state.not_in(
                (BuildState.SKIPPED.value, BuildState.LOST.value, BuildState.OFFERED.value)
            )
            # What failed without a workflow built nothing, and may be mended elsewhere: in the base branch, in the cluster.
            & ~(
                (builds.c.state == BuildState.FINISHED.value)
                & (builds.c.workflow_uid == "")
                & (builds.c.conclusion == Conclusion.FAILURE.value)
            )
            # These run something else than what a push would: another template, other files.
            & (builds.c.what != What.API.value)
            & (builds.c.deployment_id == 0)
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
            # One template may deploy to several environments at a time.
            & (builds.c.environment == build.environment)
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
        """Find the newest build of a commit that was no tag's, no deployment's and no API run's."""
        return await self._newest(
            (builds.c.sha == commit.sha)
            & (builds.c.owner == commit.repository.owner)
            & (builds.c.name == commit.repository.name)
            & (builds.c.ref_type == RefType.BRANCH.value)
            # Their refs are what somebody named.
            & (builds.c.what != What.API.value)
            & (builds.c.deployment_id == 0)
        )

    async def previous(self, build: Build) -> Build | None:
        """Find the newest earlier build of the same repository, ref and check name that succeeded or failed."""
        return await self._newest(
            (builds.c.owner == build.commit.repository.owner)
            & (builds.c.name == build.commit.repository.name)
            & (builds.c.ref_type == build.ref.type)
            & (builds.c.ref_name == build.ref.name)
            & (builds.c.head_repository == build.head_repository)
            & (builds.c.check_name == build.check_name)
            & (builds.c.environment == build.environment)
            & builds.c.conclusion.in_(ENDS_OF_NOTE)
            & (builds.c.created_at < build.created_at.timestamp())
        )

    async def all_of_commit(self, commit: Commit) -> list[Build]:
        """List the builds of a commit, oldest first."""
        return await self._all(
            (builds.c.sha == commit.sha)
            & (builds.c.owner == commit.repository.owner)
            & (builds.c.name == commit.repository.name)
        )

    async def newest(
        self, *, repository: str = "", before: datetime | None = None, limit: int = 50
    ) -> list[Build]:
        """List builds, newest first: of `owner/name` where that is not empty, older than `before` where it is given."""
        statement = select(builds).where(builds.c.state != BuildState.OFFERED.value)
        if repository:
            owner, _, name = repository.partition("/")
            statement = statement.where(
                func.lower(builds.c.owner) == owner.lower(), func.lower(builds.c.name) == name.lower()
            )
        if before:
            statement = statement.where(builds.c.created_at < before.timestamp())
        return await self._read(statement.order_by(builds.c.created_at.desc(), builds.c.id).limit(limit))

    async def forget(self, before: datetime) -> int:
        """Delete finished builds from before `before`, with all that hangs on them; gives their number."""

        def work(connection: Connection) -> int:
            old = (~_UNFINISHED) & (builds.c.created_at < before.timestamp())
            ids = select(builds.c.id).where(old)
            for table in (logs, reported, outcomes, deployments):
                connection.execute(delete(table).where(table.c.build_id.in_(ids)))
            return connection.execute(delete(builds).where(old)).rowcount

        return await self._database.run(work)

    async def _one(self, condition: ColumnElement[bool]) -> Build | None:
        oldest = select(builds).where(condition).order_by(builds.c.created_at, builds.c.id)
        found = await self._read(oldest.limit(1))
        return found[0] if found else None

    async def _newest(self, condition: ColumnElement[bool]) -> Build | None:
        # A branch may have thousands.
        statement = select(builds).where(condition).order_by(builds.c.created_at.desc(), builds.c.id.desc())
        found = await self._read(statement.limit(1))
        return found[0] if found else None

    async def _all(self, condition: ColumnElement[bool]) -> list[Build]:
        return await self._read(select(builds).where(condition).order_by(builds.c.created_at, builds.c.id))

    async def _read(self, statement: Select[Any], with_: JsonObject | None = None) -> list[Build]:
        return await self._database.run(
            lambda connection: [build_of(row) for row in connection.execute(statement, with_)]
        )
