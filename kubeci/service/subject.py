"""What a check-run shows of a build beside its workflow's state."""

from __future__ import annotations

from kubeci.model.build import Build
from kubeci.report.check_run import Subject


def workflow_url(build: Build, argo_ui: str) -> str:
    """Give the address at which the Argo UI shows a build's workflow."""
    return f"{argo_ui}/workflows/{build.namespace}/{build.workflow_name}"


def subject_of(build: Build, argo_ui: str, superseded_by: str = "") -> Subject:
    """Say what a check-run shows of a build beside its workflow's state (contract, section 6)."""
    return Subject(
        check_name=build.check_name,
        external_id=build.entrypoint,
        details_url=workflow_url(build, argo_ui),
        warnings=build.warnings,
        prints=build.prints,
        loaded=build.loaded,
        superseded_by=superseded_by,
        stopped=build.stopped,
        cache_scope=build.plan.cache_scope,
    )
