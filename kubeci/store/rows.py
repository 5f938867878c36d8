"""A build's record as columns, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from kubeci.model.build import Build, BuildState, Plan
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.model.trust import What


def row_of(build: Build) -> JsonObject:
    """Give the columns of a build."""
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
        "stop_wish": build.stop_wish,
        "warnings": msgspec.json.encode(build.warnings),
        "prints": msgspec.json.encode(build.prints),
        "loaded": msgspec.json.encode(build.loaded),
        "what": build.what.value,
        "actor": build.actor,
        "title": build.title,
        "environment": build.environment,
        "deployment_id": build.deployment_id,
        "plan": msgspec.json.encode(build.plan),
        "conclusion": build.conclusion,
        "former_conclusion": build.former_conclusion,
        "finished_at": build.finished_at and build.finished_at.timestamp(),
        "delivery_id": build.delivery_id,
        "retry_wish": build.retry_wish,
        "retried_check_run": build.retried_check_run,
    }


def build_of(row: Row[Any]) -> Build:
    """Read a build out of its columns."""
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
        stop_wish=row.stop_wish,
        warnings=msgspec.json.decode(row.warnings, type=tuple[str, ...]),
        prints=msgspec.json.decode(row.prints, type=tuple[str, ...]),
        loaded=msgspec.json.decode(row.loaded, type=tuple[str, ...]),
        what=What(row.what),
        actor=row.actor,
        title=row.title,
        environment=row.environment,
        deployment_id=row.deployment_id,
        plan=msgspec.json.decode(row.plan, type=Plan),
        conclusion=row.conclusion,
        former_conclusion=row.former_conclusion,
        finished_at=None if row.finished_at is None else datetime.fromtimestamp(row.finished_at, UTC),
        delivery_id=row.delivery_id,
        retry_wish=row.retry_wish,
        retried_check_run=row.retried_check_run,
    )
