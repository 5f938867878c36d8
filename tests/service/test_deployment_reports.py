"""What GitHub shows of the deployments of a workflow, from its beginning to its end."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from deployment_reports_kit import GONE, Scene, node, scene_in, workflow

from kubeci.errors import UpstreamError
from kubeci.local.github.auth import App
from kubeci.local.github.faults import Fault
from kubeci.model.build import Plan
from kubeci.model.repository import Ref, RefType
from kubeci.workflow import metadata
from kubeci.workflow.status import WorkflowState, read_state


@pytest.fixture
async def scene(tmp_path: Path, registered: App, tls: ssl.SSLContext) -> AsyncIterator[Scene]:
    async with scene_in(tmp_path, registered, tls) as scene:
        yield scene


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


async def test_a_build_without_deployments_asks_nothing(scene: Scene) -> None:
    assert await scene.report(workflow("Running", staging="Running"), plan=Plan()) == ()
    assert scene.made == []


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
