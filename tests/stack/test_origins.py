"""What a stranger's pull request must not do to the repository's own branches, and what stays a stranger's."""

from __future__ import annotations

from typing import Any

import pytest_asyncio
import yaml
from shared_stacks import Stacks
from tests_stack import SharedScene, workflow

from kubeci.local.stack import StackSettings
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.workflow import metadata


def deploying(marker: str) -> dict[str, str]:
    found: dict[str, Any] = yaml.safe_load(workflow(["true"], annotations={"marker": marker}))
    found["spec"]["templates"].append(
        {
            "name": "deploy",
            "inputs": {"parameters": [{"name": "environment"}]},
            "container": {"image": "alpine", "command": ["true"]},
        }
    )
    return {".kube-ci/ci.yaml": yaml.safe_dump(found)}


OWN = StackSettings(
    config=Config(build_branches=Pattern("^main$"), deploy_templates=Pattern("^deploy$")), engine=False
)


@pytest_asyncio.fixture(loop_scope="session")
async def own(stacks: Stacks) -> SharedScene:
    """A stack that builds only `main`, deploys, and runs nothing."""
    return await stacks.scene(OWN)


def markers(scene: SharedScene) -> list[str]:
    return [metadata.annotations_of(each)["marker"] for each in scene.workflows()]


def shutdowns(scene: SharedScene) -> list[str | None]:
    return [each["spec"].get("shutdown") for each in scene.workflows()]


async def deploy(scene: SharedScene, ref: str, environment: str = "production") -> Any:
    payload = {"kube_ci": {"run": True}}
    made = await scene.stack.github.deploy(
        scene.repository, ref, task="deploy", environment=environment, payload=payload
    )
    await scene.quiet()
    return made


async def stranger_opens(
    scene: SharedScene, branch: str, base: str, files: dict[str, str] | None = None
) -> Any:
    """Open a pull request of a fork's branch, without files of one that stands where it was forked."""
    github = scene.stack.github
    await github.fork(scene.repository, "stranger")
    github.user = "stranger"
    if files:
        await github.push(scene.fork_name, files, branch=branch, message="Mine")
    pull = await github.open_pull_request(scene.repository, head=f"{scene.fork_name}:{branch}", base=base)
    github.user = "octocat"
    await scene.quiet()
    return pull


async def test_a_pull_request_with_mains_own_commit_makes_main_no_strangers(own: SharedScene) -> None:
    await own.push(deploying("old"), branch="old")
    sha = await own.push(deploying("new"))
    await own.quiet()
    pull = await stranger_opens(own, "main", "old")
    await deploy(own, "main")
    assert markers(own) == ["new", "new"]
    await own.stack.github.close_pull_request(pull, by="stranger")
    await own.quiet()
    assert shutdowns(own) == [None, None]
    await own.stack.github.rerequest(own.runs(sha)[0].id)
    await own.quiet()
    assert markers(own) == ["new", "new", "new"]


async def test_a_closed_forks_commit_stays_a_strangers(own: SharedScene) -> None:
    await own.push(deploying("ours"))
    await own.quiet()
    pull = await stranger_opens(own, "patch", "main", deploying("theirs"))
    sha = str(pull.head_sha)
    await own.stack.github.close_pull_request(pull)
    await own.quiet()
    made = await deploy(own, sha)
    assert markers(own) == ["ours"]
    assert made.state == "error"


async def test_a_closed_pull_request_stops_no_deployment(own: SharedScene) -> None:
    await own.push(deploying("main"))
    await own.push(deploying("topic"), branch="topic")
    pull = await own.stack.github.open_pull_request(own.repository, head="topic")
    await own.quiet()
    await deploy(own, "topic")
    await own.stack.github.close_pull_request(pull)
    await own.quiet()
    # The pull request's own build is stopped, and nothing else.
    assert sorted(map(str, shutdowns(own))) == ["None", "None", "Stop"]


async def test_a_rerun_of_a_deployment_deploys_to_the_same_environment(scene: SharedScene) -> None:
    text = yaml.safe_load(deploying("x")[".kube-ci/ci.yaml"])
    text["metadata"]["annotations"][metadata.DEPLOY_TEMPLATES] = "^deploy$"
    sha = await scene.push({".kube-ci/ci.yaml": yaml.safe_dump(text)})
    await scene.concluded(sha)
    made = await deploy(scene, "main")
    run = await scene.concluded(sha, count=2)
    await scene.stack.github.rerequest(run.id)
    again = await scene.concluded(sha, count=3)
    assert (again.name, again.conclusion) == ("Workflow - deploy (deployment)", "success")
    assert [each.environment for each in scene.deployments()] == ["production"]
    assert [status.state for status in made.statuses].count("success") == 2


async def test_a_deployment_leaves_the_question_of_a_pull_request_open(own: SharedScene) -> None:
    await own.push(deploying("main"))
    sha = await own.push(deploying("topic"), branch="topic")
    await own.stack.github.open_pull_request(own.repository, head="topic", base="main", draft=True)
    await own.until(lambda: own.runs(sha))
    await own.quiet()
    [asking] = [run for run in own.runs(sha) if run.name == "Default Workflow"]
    before = (asking.conclusion, [action["identifier"] for action in asking.actions])
    await deploy(own, "topic")
    assert (asking.conclusion, [action["identifier"] for action in asking.actions]) == before
