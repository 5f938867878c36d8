"""Deployments both ways: a workflow's nodes become deployments, and a deployment that asks for a run gets one."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from shared_stacks import Stacks
from tests_stack import PASSING, SharedScene

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.github.deployment import Deployment
from kubeci.local.stack import StackSettings
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata

ASKS = {"kube_ci": {"run": True}}
WHERE = "{{inputs.parameters.environment}}"
TEMPLATES: dict[str, Any] = {
    "deploy": {
        "inputs": {"parameters": [{"name": "environment"}]},
        "outputs": {"parameters": [{"name": "environmentURL", "valueFrom": {"path": "/tmp/url"}}]},
        "container": {
            "image": "alpine",
            "command": ["sh", "-c", f"echo https://{WHERE}.example.com > /tmp/url; test {WHERE} != broken"],
        },
    },
    "deploy-nowhere": {"container": {"image": "alpine", "command": ["true"]}},
    "build": {"container": {"image": "alpine", "command": ["true"]}},
}


def definition(*steps: tuple[str, str]) -> dict[str, str]:
    """Steps that run these templates with these environments, one after the other."""
    calls = [
        [
            {
                "name": f"step-{number}",
                "template": template,
                "arguments": {"parameters": [{"name": "environment", "value": value}] if value else []},
            }
        ]
        for number, (template, value) in enumerate(steps)
    ]
    templates = [
        {"name": "ci", "steps": calls},
        *({"name": name, **each} for name, each in TEMPLATES.items()),
    ]
    spec = {"entrypoint": "ci", "templates": templates}
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"annotations": {metadata.DEPLOY_TEMPLATES: "^deploy"}},
        "spec": spec,
    }
    return {".kube-ci/ci.yaml": yaml.safe_dump(document)}


def states(deployment: Deployment) -> list[str]:
    return [status.state for status in deployment.statuses]


async def ended(scene: SharedScene, deployment: Deployment) -> str:
    await scene.until(lambda: deployment.state in {"success", "failure", "error"})
    return deployment.state


async def test_nodes_become_deployments(scene: SharedScene) -> None:
    sha = await scene.push(
        definition(("build", ""), ("deploy", "staging"), ("deploy", "production"), ("deploy", "broken"))
    )
    run = await scene.concluded(sha)
    assert run.conclusion == "failure"
    found = {each.environment: each for each in scene.deployments()}
    assert {name: each.state for name, each in found.items()} == {
        "staging": "success",
        "production": "success",
        "broken": "failure",
    }
    assert {name for name, each in found.items() if each.production} == {"production"}
    staging = found["staging"]
    assert (staging.wish.ref, staging.wish.task, staging.sha) == ("main", "deploy", sha)
    assert staging.statuses[-1].environment_url == "https://staging.example.com"
    assert "&nodePanelView=inputs-outputs" in staging.statuses[-1].log_url
    name = staging.wish.payload["kube_ci"]["workflow"]
    workflow = scene.stack.cluster.objects.get(WORKFLOWS, "argo", name)
    shown = json.loads(workflow["metadata"]["annotations"][metadata.DEPLOYMENT_IDS])
    assert sorted(shown.values()) == sorted(each.id for each in found.values())
    # GitHub tells us of our own deployments; they start nothing.
    await scene.quiet()
    answers = [each.response_body for each in scene.sent("deployment")]
    assert len(answers) == 3
    assert all("has no `kube_ci.run`" in answer for answer in answers)
    assert len(scene.runs(sha)) == 1


async def test_a_template_without_the_environment_is_a_warning(scene: SharedScene) -> None:
    sha = await scene.push(definition(("deploy-nowhere", "")))
    run = await scene.concluded(sha)
    assert run.conclusion == "success"
    assert "has no input parameter" in str(run.output["summary"])
    assert scene.deployments() == []


async def test_a_missing_permission_is_a_warning(scene: SharedScene) -> None:
    permissions = scene.stack.github.installation(scene.repository).permissions
    scene.stack.github.installation(scene.repository).permissions = {
        name: how for name, how in permissions.items() if name != "deployments"
    }
    sha = await scene.push(definition(("deploy", "staging")))
    run = await scene.concluded(sha)
    assert run.conclusion == "success"
    assert "the App lacks the permission deployments: write" in str(run.output["summary"])


async def test_a_deployment_that_asks_gets_a_run(scene: SharedScene) -> None:
    sha = await scene.push(definition(("build", "")))
    await scene.concluded(sha)
    asked = await scene.stack.github.deploy(scene.repository, "main", environment="qa", payload=ASKS)
    run = await scene.concluded(sha, count=2)
    assert (run.name, run.conclusion, run.external_id) == (
        "Workflow - deploy (deployment)",
        "success",
        "deploy",
    )
    assert await ended(scene, asked) == "success"
    assert states(asked)[-1:] == ["success"]
    assert asked.statuses[-1].environment_url == "https://qa.example.com"
    assert scene.deployments() == [asked], "its statuses go to that deployment"


async def test_a_rerun_that_is_refused_leaves_a_deployment_as_it_was(stacks: Stacks) -> None:
    nobody = dict.fromkeys(Who, Answer.IGNORE)
    config = Config(deploy_templates=Pattern("^deploy"), trust={What.RERUN: nobody})
    scene = await stacks.scene(StackSettings(config=config))
    sha = await scene.push(definition(("build", "")))
    await scene.concluded(sha)
    asked = await scene.stack.github.deploy(scene.repository, "main", environment="qa", payload=ASKS)
    run = await scene.concluded(sha, count=2)
    assert await ended(scene, asked) == "success"
    await scene.quiet()
    scene.stack.github.user = "stranger"
    await scene.stack.github.rerequest(run.id)
    await scene.until(lambda: "may not have this built" in str(run.output["summary"]))
    await scene.quiet()
    assert asked.state == "success"


async def test_its_payload_may_be_text_and_the_run_may_fail(scene: SharedScene) -> None:
    await scene.push(definition(("build", "")))
    asked = await scene.stack.github.deploy(
        scene.repository, "main", environment="broken", payload=json.dumps(ASKS)
    )
    assert await ended(scene, asked) == "failure"


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("deploi", "no template `deploi`"),
        ("build", "`build` is not a deployment template"),
        ("deploy-nowhere", "has no input parameter `environment`"),
    ],
)
async def test_what_cannot_be_run_is_told_to_the_deployment(
    scene: SharedScene, task: str, words: str
) -> None:
    sha = await scene.push(definition(("build", "")))
    await scene.concluded(sha)
    asked = await scene.stack.github.deploy(scene.repository, "main", task=task, payload=ASKS)
    assert await ended(scene, asked) == "error"
    assert words in asked.statuses[-1].description
    run = await scene.concluded(sha, count=2)
    assert (run.name, run.conclusion) == ("Default Workflow", "failure")
    assert words in str(run.output["summary"]).replace("``", "`")


@pytest.mark.parametrize("payload", [None, {}, "{", "null", {"kube_ci": {"run": "yes"}}])
async def test_a_deployment_that_does_not_ask_starts_nothing(scene: SharedScene, payload: Any) -> None:
    sha = await scene.push(PASSING)
    await scene.concluded(sha)
    other = await scene.stack.github.deploy(scene.repository, "main", payload=payload)
    await scene.quiet()
    assert (other.statuses, len(scene.runs(sha))) == ([], 1)
