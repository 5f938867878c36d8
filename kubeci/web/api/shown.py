"""Builds as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.model.build import Build
from kubeci.service.run_seen import RunSeen
from kubeci.web.api import shapes
from kubeci.web.pages.addresses import Links


@dataclass(frozen=True, slots=True)
class Shown:
    """Turns builds into JSON, with links to where people see them."""

    links: Links

    def run(self, build: Build) -> shapes.Run:
        """Give a run."""
        submitted = bool(build.workflow_uid)
        return shapes.Run(
            id=build.id,
            repository=build.commit.repository.full_name,
            sha=build.commit.sha,
            ref=build.ref.name,
            ref_type=build.ref.type.value,
            entrypoint=build.entrypoint,
            check_name=build.check_name,
            state=build.state.value,
            conclusion=build.conclusion or None,
            what=build.what.value,
            actor=build.actor,
            title=build.title,
            pull_request=build.pull_request or None,
            environment=build.environment,
            stopped=build.stopped,
            superseded_by=build.superseded_by,
            created_at=build.created_at,
            finished_at=build.finished_at,
            workflow=shapes.Workflow(build.namespace, build.workflow_name) if submitted else None,
            links=shapes.Links(
                self.links.check_run(build) if build.check_run_id else None,
                self.links.workflow(build) if submitted else None,
            ),
        )

    def detail(self, seen: RunSeen) -> shapes.RunDetail:
        """Give a run with its steps."""
        return shapes.RunDetail(
            run=self.run(seen.build),
            phase=seen.phase,
            title=seen.title,
            summary=seen.summary,
            steps=[
                shapes.Step(
                    id=step.node_id,
                    label=step.label,
                    type=step.type,
                    phase=step.phase,
                    depth=step.depth,
                    message=step.message,
                    started_at=step.started_at,
                    finished_at=step.finished_at,
                )
                for step in seen.steps
            ],
            annotations=[shapes.Remark(r.path, r.line, r.level, r.message) for r in seen.annotations],
            warnings=seen.build.warnings,
            prints=seen.build.prints,
            loaded=seen.build.loaded,
        )
