"""A GitHub that shows deployments, a process that can be killed, and the words of the tests about them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, cast

from kubeci.errors import NotFound
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.commits import GitHubCommits
from kubeci.github.connection import Endpoint
from kubeci.github.deployments import GitHubDeployments
from kubeci.local.github.auth import App
from kubeci.local.github.deployment import Deployment
from kubeci.local.github.server import LocalGitHub
from kubeci.model.build import Build, Plan
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.service.deployments import DeploymentReports
from kubeci.service.rooms import ClusterRooms, GitHubRooms, Rooms
from kubeci.settings.config import Config
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.workflow.status import WorkflowState, read_state


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Life:
    """How many calls of its rooms a process does before it dies: at the last one, before or after it was done."""

    calls: int = 1_000_000
    after: bool = True
    done: int = 0


class Mortal:
    """A room whose calls are counted."""

    def __init__(self, room: object, life: Life) -> None:
        self._room, self._life = room, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._room, name)
        if not iscoroutinefunction(found):
            return found

        async def call(*values: Any, **named: Any) -> Any:
            self._life.done += 1
            last = self._life.done >= self._life.calls
            if last and not self._life.after:
                raise Killed
            result = await found(*values, **named)
            if last:
                raise Killed
            return result

        return call


@dataclass
class Cluster:
    """The annotations that a workflow got; None: it is gone."""

    annotations: dict[str, str] | None = field(default_factory=dict)

    async def annotate(self, _namespace: str, _name: str, annotations: Mapping[str, str]) -> None:
        if self.annotations is None:
            raise NotFound("the workflow is gone", status=404)
        self.annotations |= annotations


@dataclass
class Scene:
    """GitHub, the store and the cluster, which outlive a process, and the build that is told of."""

    github: LocalGitHub
    app: GitHubApp
    builds: SqlBuilds
    build: Build
    cluster: Cluster = field(default_factory=Cluster)

    def reports(self, life: Life | None = None) -> DeploymentReports:
        """Give the use case as a process sees it."""
        life = life or Life()
        none = cast("Any", None)
        commits = cast("Any", Mortal(GitHubCommits(self.app), life))
        deployments = cast("Any", Mortal(GitHubDeployments(self.app), life))
        return DeploymentReports(
            Rooms(
                github=GitHubRooms(commits, none, none, none, none, none, none, deployments),
                cluster=ClusterRooms(cast("Any", Mortal(self.cluster, life)), none, none),
                builds=cast("Any", Mortal(self.builds, life)),
                sandbox=none,
                config=Config(),
                argo_ui="https://argo.example.com",
                clock=lambda: datetime.now(UTC),
                nonce=none,
            )
        )

    async def report(self, state: WorkflowState, **changes: Any) -> tuple[str, ...]:
        """Report a state in a process of its own."""
        return await self.reports().report(replace(self.build, **changes), state)

    @property
    def made(self) -> list[Deployment]:
        """The deployments at GitHub, oldest first."""
        return list(self.github.state.deployments.values())

    def history(self) -> dict[str, list[str]]:
        """Map each environment to the states that its deployments went through."""
        return {each.environment: [status.state for status in each.statuses] for each in self.made}


def node(name: str, environment: str, phase: str, **fields: Any) -> dict[str, Any]:
    inputs = {"parameters": [{"name": "environment", "value": environment}]}
    common = {"name": f"wf.{name}", "type": "Pod", "phase": phase, "templateName": "deploy", "inputs": inputs}
    return common | fields


def workflow(phase: str, *, deleted: bool = False, root: str = "ci", **phases: str) -> WorkflowState:
    nodes = {f"wf-{name}": node(name, name, each) for name, each in phases.items()}
    nodes["wf"] = node("", "asked", phase, type="DAG", templateName=root) | {"name": "wf"}
    status = {"phase": phase, "nodes": nodes}
    return read_state({"metadata": {"namespace": "ci", "name": "wf"}, "status": status}, deleted=deleted)


GONE = read_state({"metadata": {"namespace": "ci", "name": "wf"}}, deleted=True)


@asynccontextmanager
async def scene_in(folder: Path, registered: App, tls: ssl.SSLContext) -> AsyncIterator[Scene]:
    """Serve a GitHub with a repository, and give a build of its newest commit."""
    credentials = Credentials(registered.id, registered.private_key or "")
    async with (
        LocalGitHub(folder / "github", app=registered, webhook_secret="secret") as github,
        database(f"sqlite:///{folder}/kubeci.db") as stored,
    ):
        await github.create_repository("acme/widgets")
        sha = await github.push("acme/widgets", {"README.md": "hello"})
        repository = Repository("acme", "widgets", github.installation("acme/widgets").id)
        endpoint = Endpoint(github.api_url, trust_env=False, pauses=(), answer_seconds=5, tls=tls)
        async with GitHubApp(credentials, endpoint) as app:
            build = Build(
                id="b",
                commit=Commit(repository, sha),
                ref=Ref("main"),
                entrypoint="ci",
                check_name="Workflow - ci",
                namespace="ci",
                workflow_name="wf",
                created_at=datetime(2026, 11, 21, tzinfo=UTC),
                plan=Plan(deploy_templates="^deploy"),
            )
            yield Scene(github, app, SqlBuilds(stored), build)
