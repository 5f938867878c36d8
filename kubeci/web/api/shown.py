"""Builds as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass

from kubeci.model.build import Build
from kubeci.service.run_seen import RunSeen
from kubeci.service.subject import workflow_url
from kubeci.web.api import shapes

PUBLIC_API = "https://api.github.com"
ENTERPRISE_API = "/api/v3"


def github_pages(api_url: str) -> str:
    """Give the address of GitHub's pages for that of its API (docs.github.com, "Getting started with the REST API")."""
    plain = api_url.rstrip("/")
    return "https://github.com" if plain == PUBLIC_API else plain.removesuffix(ENTERPRISE_API)


@dataclass(frozen=True, slots=True)
class Shown:
    """Turns builds into JSON, with links to where people see them."""

    github_pages: str
    """Address of GitHub's pages, without a slash at the end."""
    argo_ui: str
    """The same of the Argo UI."""

    def run(self, build: Build) -> shapes.Run:
        """Give a run."""
        full_name = build.commit.repository.full_name
        submitted = bool(build.workflow_uid)
        check_run = f"{self.github_pages}/{full_name}/runs/{build.check_run_id}"
        return shapes.Run(
            id=build.id,
            repository=full_name,
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
                check_run if build.check_run_id else None,
                workflow_url(build, self.argo_ui) if submitted else None,
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
