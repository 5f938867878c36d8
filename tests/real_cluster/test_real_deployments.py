"""Deployments on the real thing, both ways: nodes become deployments, and a deployment asks for a run."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from github_scene import REPOSITORY
from given_cluster import RealCluster
from played import build, step
from real_scene import RealScene, real_scene

from kubeci.local.github.deployment import Deployment
from kubeci.workflow import metadata

pytestmark = pytest.mark.cluster

INPUTS = {"parameters": [{"name": "environment"}]}


def deploying(*steps: tuple[str, str]) -> dict[str, str]:
    calls = [
        [
            {
                "name": f"to-{environment}",
                "template": template,
                "arguments": {"parameters": [{"name": "environment", "value": environment}]},
            }
        ]
        for template, environment in steps
    ]
    return build(
        {"name": "ci", "steps": calls},
        step("deploy", inputs=INPUTS),
        step("deploy-badly", code=1, inputs=INPUTS),
        deployTemplates="^deploy",
    )


@pytest.fixture
async def ci(real_cluster: RealCluster, tmp_path: Path) -> AsyncIterator[RealScene]:
    async with real_scene(real_cluster, tmp_path) as scene, scene.serving():
        yield scene


def made(ci: RealScene) -> list[Deployment]:
    return list(ci.place.github.state.deployments.values())


async def test_nodes_become_deployments_with_the_statuses_of_their_phases(ci: RealScene) -> None:
    sha = await ci.push(deploying(("deploy", "staging"), ("deploy-badly", "production")))
    assert (await ci.concluded(sha)).conclusion == "failure"
    found = {each.environment: each for each in made(ci)}
    assert {name: each.state for name, each in found.items()} == {
        "staging": "success",
        "production": "failure",
    }
    assert [each.production for each in found.values()] == [False, True]
    [workflow] = await ci.workflows()
    shown: dict[str, Any] = json.loads(workflow["metadata"]["annotations"][metadata.DEPLOYMENT_IDS])
    assert sorted(shown.values()) == sorted(each.id for each in found.values())
    assert set(shown) <= set(workflow["status"]["nodes"])


async def test_a_deployment_that_asks_gets_a_run_and_its_statuses(ci: RealScene) -> None:
    sha = await ci.push(deploying(("deploy", "staging")))
    await ci.concluded(sha)
    asked = await ci.place.github.deploy(
        REPOSITORY, "main", environment="qa", payload={"kube_ci": {"run": True}}
    )
    run = await ci.concluded(sha, count=2)
    assert (run.name, run.conclusion) == ("Workflow - deploy (deployment)", "success")
    await ci.until(lambda: asked.state == "success")
    assert [each for each in made(ci) if each.environment == "qa"] == [asked], (
        "its statuses go to that deployment"
    )
    workflows = {each["spec"]["entrypoint"]: each for each in await ci.workflows()}
    given = {
        each["name"]: each.get("value") for each in workflows["deploy"]["spec"]["arguments"]["parameters"]
    }
    assert given["environment"] == "qa"
