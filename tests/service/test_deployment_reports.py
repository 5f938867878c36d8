from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, cast

import pytest

from kubeci.errors import NotFound, UpstreamError
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.commits import GitHubCommits
from kubeci.github.connection import Endpoint
from kubeci.github.deployments import GitHubDeployments
from kubeci.local.github.auth import App, new_app
from kubeci.local.github.deployment import Deployment
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.build import Build, Plan
from kubeci.model.repository import Commit, Ref, RefType, Repository
from kubeci.service.deployments import MAX_FAILURES, DeploymentReports
from kubeci.service.rooms import ClusterRooms, GitHubRooms, Rooms
from kubeci.settings.config import Config
from kubeci.store.builds import SqlBuilds
from kubeci.store.database import database
from kubeci.workflow import metadata
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


@pytest.fixture(scope="module")
def registered() -> App:
    """Make the App once: its key takes a while to be found, and to be checked when it is read."""
    return new_app(app_id=7)


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    """Read certificates once; none is asked for."""
    return ssl.create_default_context()


@pytest.fixture
async def scene(tmp_path: Path, registered: App, tls: ssl.SSLContext) -> AsyncIterator[Scene]:
    credentials = Credentials(registered.id, registered.private_key or "")
    async with (
        LocalGitHub(tmp_path / "github", app=registered, webhook_secret="secret") as github,
        database(f"sqlite:///{tmp_path}/kubeci.db") as stored,
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


async def test_a_status_for_each_change(scene: Scene) -> None:
    for state in [
        workflow("Running", staging="Pending"),
        workflow("Running", staging="Running"),
        workflow("Running", staging="Running"),
        workflow("Running", staging="Succeeded", production="Running"),
        workflow("Failed", staging="Succeeded", production="Failed"),
        workflow("Failed", staging="Succeeded", production="Failed"),
    ]:
        assert await scene.report(state) == ()
    assert scene.history() == {
        "staging": ["in_progress", "success"],
        "production": ["in_progress", "failure"],
    }
    staging, production = scene.made
    assert (staging.wish.ref, staging.wish.task, staging.sha) == ("main", "deploy", scene.build.commit.sha)
    assert (staging.production, production.production) == (False, True)
    assert staging.wish.payload == {
        "kube_ci": {
            "run": False,
            "ref_type": "branch",
            "ref_name": "main",
            "sha": scene.build.commit.sha,
            "workflow": "wf",
            "node": "wf-staging",
        }
    }
    assert staging.statuses[0].log_url == (
        "https://argo.example.com/workflows/ci/wf?tab=workflow&nodeId=wf-staging&nodePanelView=inputs-outputs"
    )
    assert scene.cluster.annotations
    assert json.loads(scene.cluster.annotations[metadata.DEPLOYMENT_IDS]) == {
        "wf-staging": staging.id,
        "wf-production": production.id,
    }


async def test_a_retried_workflow_goes_on_with_the_same_deployment(scene: Scene) -> None:
    for phase in ("Running", "Failed", "Running", "Succeeded"):
        await scene.report(workflow(phase, staging=phase))
    assert scene.history() == {"staging": ["in_progress", "failure", "in_progress", "success"]}


async def test_an_address_that_comes_late_is_told(scene: Scene) -> None:
    outputs = {"parameters": [{"name": "environmentURL", "value": "https://staging.example.com"}]}
    for extra in ({}, {"outputs": outputs}, {"outputs": outputs}):
        nodes = {"wf-a": node("a", "staging", "Running", **extra)}
        status = {"phase": "Running", "nodes": nodes}
        await scene.report(read_state({"metadata": {"namespace": "ci", "name": "wf"}, "status": status}))
    (made,) = scene.made
    assert [each.environment_url for each in made.statuses] == ["", "https://staging.example.com"]


@pytest.mark.parametrize("gone", [GONE, workflow("Running", deleted=True, staging="Running")])
async def test_a_deleted_workflow_leaves_nothing_in_progress(scene: Scene, gone: WorkflowState) -> None:
    await scene.report(workflow("Running", staging="Running"))
    await scene.report(gone)
    await scene.report(gone)
    assert scene.history() == {"staging": ["in_progress", "error"]}
    assert scene.made[0].statuses[-1].description == "the workflow was deleted"


async def test_the_sha_when_the_branch_moved_on(scene: Scene) -> None:
    await scene.github.push("acme/widgets", {"README.md": "more"})
    await scene.report(workflow("Running", staging="Running"))
    (made,) = scene.made
    assert (made.wish.ref, made.sha) == (scene.build.commit.sha, scene.build.commit.sha)


@pytest.mark.parametrize("ref", [Ref(""), Ref("gone"), Ref("v1", RefType.TAG)])
async def test_the_sha_when_there_is_no_such_ref(scene: Scene, ref: Ref) -> None:
    await scene.report(workflow("Running", staging="Running"), ref=ref)
    assert [made.wish.ref for made in scene.made] == [scene.build.commit.sha]


async def test_a_fork_s_build_deploys_nothing_that_github_shows(scene: Scene) -> None:
    fork = {"head_repository": "stranger/widgets"}
    (warning,) = await scene.report(workflow("Running", staging="Running"), **fork)
    assert "comes from a fork" in warning
    assert await scene.report(workflow("Running"), **fork) == ()
    assert scene.made == []


async def test_a_missing_permission_is_one_warning_and_asked_for_once_a_state(scene: Scene) -> None:
    body = json.dumps({"message": "Resource not accessible by integration"})
    scene.github.faults.add(Fault("POST", "/deployments$", status=403, body=body, times=2))
    running = workflow("Running", staging="Running", production="Running")
    warnings = await scene.report(running)
    assert warnings == ("GitHub shows no deployments: the App lacks the permission deployments: write",)
    assert await scene.report(running) == warnings, "what was refused is not tried again"
    assert scene.made == []
    assert await scene.report(workflow("Running", staging="Succeeded", production="Running")) == warnings
    assert scene.history() == {"staging": ["success"]}
    assert await scene.report(workflow("Running", staging="Succeeded", production="Succeeded")) == ()


async def test_an_environment_that_github_refuses_is_a_warning_and_the_others_go_on(scene: Scene) -> None:
    body = json.dumps({"message": "Validation Failed"})
    scene.github.faults.add(Fault("POST", "/deployments$", status=422, body=body))
    state = workflow("Running", staging="Running", production="Running")
    (warning,) = await scene.report(state)
    assert warning.startswith("GitHub did not take the deployment to `")
    assert "Validation Failed" in warning
    assert len(scene.made) == 1
    assert await scene.report(state) == (warning,)


async def test_a_lost_answer_is_looked_for(scene: Scene) -> None:
    scene.github.faults.add(Fault("POST", "/deployments$", status=502, after=True))
    state = workflow("Running", staging="Running")
    with pytest.raises(UpstreamError):
        await scene.report(state)
    # The branch moves before the next look, which would give the sha as ref.
    await scene.github.push("acme/widgets", {"README.md": "more"})
    await scene.report(state)
    assert scene.history() == {"staging": ["in_progress"]}


async def test_a_github_that_keeps_failing_does_not_hold_up_the_check_run(scene: Scene) -> None:
    scene.github.faults.add(Fault("POST", "/statuses$", status=502, times=MAX_FAILURES))
    state = workflow("Running", staging="Running")
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(UpstreamError):
            await scene.report(state)
    (warning,) = await scene.report(state)
    assert "did not take the deployment to `staging`" in warning
    assert await scene.report(workflow("Succeeded", staging="Succeeded")) == ()
    assert scene.history() == {"staging": ["success"]}


async def test_a_workflow_that_is_gone_takes_no_annotation(scene: Scene) -> None:
    scene.cluster.annotations = None
    assert await scene.report(workflow("Running", staging="Running")) == ()
    assert scene.history() == {"staging": ["in_progress"]}


async def test_a_build_without_deployments_asks_nothing(scene: Scene) -> None:
    assert await scene.report(workflow("Running", staging="Running"), plan=Plan()) == ()
    assert scene.made == []


@pytest.mark.parametrize("after", [False, True])
async def test_killed_anywhere_and_run_again_github_ends_the_same(scene: Scene, *, after: bool) -> None:
    states = [
        workflow("Running", staging="Running"),
        workflow("Running", staging="Succeeded", production="Running"),
        workflow("Failed", staging="Succeeded", production="Error"),
    ]
    at, killed, number = 0, 0, 0
    while at < len(states):
        number += 1
        life = Life(1 + number % 9, after=after)
        try:
            await scene.reports(life).report(scene.build, states[at])
            at += 1
        except Killed:
            killed += 1
        assert number < 200, "it never comes to an end"
    assert killed > 5
    assert [made.environment for made in scene.made] == ["staging", "production"]
    history = {name: list(dict.fromkeys(seen)) for name, seen in scene.history().items()}
    assert history == {"staging": ["in_progress", "success"], "production": ["in_progress", "error"]}


async def asked(scene: Scene) -> dict[str, Any]:
    made = await scene.github.deploy(
        "acme/widgets", "main", environment="asked", payload={"kube_ci": {"run": True}}
    )
    return {"deployment_id": made.id, "environment": "asked", "entrypoint": "deploy"}


async def test_the_deployment_that_asked_is_told(scene: Scene) -> None:
    build = await asked(scene)
    for state in [
        workflow("Running", root="deploy"),
        workflow("Running", root="deploy", nested="Running"),
        workflow("Succeeded", root="deploy", nested="Succeeded"),
    ]:
        assert await scene.report(state, **build) == ()
    assert scene.history() == {
        "asked": ["in_progress", "success"],
        "nested": ["in_progress", "success"],
    }


async def test_the_deployment_that_asked_hears_of_a_workflow_that_never_began(scene: Scene) -> None:
    build = await asked(scene)
    state = {"phase": "Error", "message": "invalid spec: templates.x"}
    await scene.report(read_state({"metadata": {"name": "wf"}, "status": state}), **build)
    (made,) = scene.made
    assert [(each.state, each.description) for each in made.statuses] == [
        ("error", "invalid spec: templates.x")
    ]


async def test_the_deployment_that_asked_keeps_its_end_when_the_workflow_is_deleted(scene: Scene) -> None:
    build = await asked(scene)
    await scene.report(workflow("Succeeded", root="deploy"), **build)
    await scene.report(GONE, **build)
    assert scene.history() == {"asked": ["success"]}


async def test_a_deployment_that_could_not_be_run_hears_why(scene: Scene) -> None:
    build = await asked(scene)
    repository = scene.build.commit.repository
    await scene.reports().refused(repository, build["deployment_id"], "`x` is no template\n" + "y" * 200)
    (made,) = scene.made
    (status,) = made.statuses
    assert (status.state, status.description) == ("error", "`x` is no template " + "y" * 120 + "…")
    await scene.reports().refused(repository, 404, "nobody hears it")
    scene.github.faults.add(Fault("POST", "/statuses$", status=502))
    with pytest.raises(UpstreamError):
        await scene.reports().refused(repository, build["deployment_id"], "again")
