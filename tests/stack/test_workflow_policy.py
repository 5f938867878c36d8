"""What a stranger's build asks of the cluster is refused, whoever presses Run; the same of the repository's own runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from tests_stack import REPOSITORY, Scene, workflow

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.stack import StackSettings, local_stack
from kubeci.settings.asks import WorkflowPolicy
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata

DEFINITION = ".kube-ci/ci.yaml"


def with_a_secret() -> str:
    definition = yaml.safe_load(workflow(["true"]))
    env = [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "prod", "key": "token", "optional": True}}}
    ]
    definition["spec"]["templates"][1]["container"]["env"] = env
    return yaml.safe_dump(definition)


def submitted(scene: Scene, sha: str) -> int:
    found = scene.stack.cluster.objects.list(WORKFLOWS, None)
    return sum(metadata.annotations_of(each)[metadata.SHA] == sha for each in found)


async def stranger_opens(scene: Scene, files: dict[str, str]) -> str:
    """Open a fork's pull request, and have somebody press Run who may."""
    github = scene.stack.github
    await github.fork(REPOSITORY, "stranger")
    github.user = "stranger"
    sha = await github.push("stranger/widgets", files, branch="patch", message="Mine")
    await github.open_pull_request(REPOSITORY, head="stranger/widgets:patch")
    [asking] = await scene.until(
        lambda: [run for run in scene.runs(sha) if run.conclusion == "action_required"]
    )
    github.user = "octocat"
    await github.press(asking.id, "run")
    return sha


@asynccontextmanager
async def stack(folder: Path, config: Config) -> AsyncIterator[Scene]:
    async with local_stack(folder, StackSettings(engine=False, config=config)) as surroundings:
        await surroundings.github.create_repository(REPOSITORY)
        yield Scene(surroundings)


@pytest.mark.parametrize("where", ["base", "fork"])
async def test_a_fork_gets_no_secret_whose_definition_ever_mounts_it(tmp_path: Path, where: str) -> None:
    config = Config(build_branches=Pattern("^main$"), definition_from_base=where == "base")
    async with stack(tmp_path, config) as scene:
        own = await scene.push({DEFINITION: with_a_secret()})
        await scene.until(lambda: submitted(scene, own))
        files = {"README.md": "x"} if where == "base" else {DEFINITION: with_a_secret(), "README.md": "x"}
        sha = await stranger_opens(scene, files)
        [refused] = await scene.until(lambda: [run for run in scene.runs(sha) if run.conclusion == "failure"])
        summary = str(refused.output["summary"])
        assert refused.name == "Default Workflow"
        assert summary.startswith("the workflow may not have what it asks for, ")
        assert "asks for the secret `prod`" in summary
        assert "workflowPolicy.untrusted.secrets: [prod]" in summary
        await scene.quiet()
        assert submitted(scene, sha) == 0


async def test_what_the_operator_lists_a_fork_gets(tmp_path: Path) -> None:
    policy = WorkflowPolicy(untrusted={"secrets": (Pattern("prod"),)})
    config = Config(build_branches=Pattern("^main$"), workflow_policy=policy)
    async with stack(tmp_path, config) as scene:
        await scene.push({DEFINITION: with_a_secret()})
        sha = await stranger_opens(scene, {"README.md": "x"})
        await scene.until(lambda: submitted(scene, sha))
