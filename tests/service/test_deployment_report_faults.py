"""What becomes of reports of deployments when GitHub refuses or fails, or the process is killed."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from deployment_reports_kit import Killed, Life, Scene, scene_in, workflow

from kubeci.errors import UpstreamError
from kubeci.local.github.auth import App
from kubeci.local.github.faults import Fault
from kubeci.service.deployments import MAX_FAILURES
from kubeci.workflow.status import WorkflowState


@pytest.fixture
async def scene(tmp_path: Path, registered: App, tls: ssl.SSLContext) -> AsyncIterator[Scene]:
    async with scene_in(tmp_path, registered, tls) as scene:
        yield scene


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


async def given_up(scene: Scene, state: WorkflowState) -> None:
    """GitHub fails to take a state until the check-run does not wait for it any longer, and warns."""
    scene.github.faults.add(Fault("POST", "/statuses$", status=502, times=MAX_FAILURES))
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(UpstreamError):
            await scene.report(state)
    (warning,) = await scene.report(state)
    assert "did not take the deployment to `staging`" in warning


async def test_a_github_that_keeps_failing_does_not_hold_up_the_check_run(scene: Scene) -> None:
    state = workflow("Running", staging="Running")
    await given_up(scene, state)
    assert await scene.report(workflow("Succeeded", staging="Succeeded")) == ()
    assert scene.history() == {"staging": ["success"]}


async def test_a_state_that_github_failed_to_take_is_told_at_the_next_look(scene: Scene) -> None:
    await scene.report(workflow("Running", staging="Running"))
    state = workflow("Running", staging="Succeeded")
    await given_up(scene, state)
    assert await scene.report(state) == ()
    assert scene.history() == {"staging": ["in_progress", "success"]}


async def test_a_workflow_that_is_gone_takes_no_annotation(scene: Scene) -> None:
    scene.cluster.annotations = None
    assert await scene.report(workflow("Running", staging="Running")) == ()
    assert scene.history() == {"staging": ["in_progress"]}


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
