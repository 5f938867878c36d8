"""Slack through the running server: a command becomes a build, and a channel hears what becomes of the default branch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from tests_stack import PASSING, REPOSITORY, Scene, workflow

from kubeci.local.slack.server import LocalSlack
from kubeci.local.stack import StackSettings, local_stack
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern
from kubeci.settings.slack import Slack, SlackAccess, SlackNews, SlackVerb

REPOSITORIES = (Pattern("acme/.*"),)
FAILING = {".kube-ci/ci.yaml": workflow(["false"])}


@pytest.fixture
async def slack_scene(tmp_path: Path) -> AsyncIterator[Scene]:
    access = SlackAccess(REPOSITORIES, (SlackVerb.BUILD, SlackVerb.DEPLOY), users=("UADA",))
    news = SlackNews("builds", REPOSITORIES)
    config = Config(
        build_branches=Pattern("."), deploy_templates=Pattern("^deploy$"), slack=Slack((access,), (news,))
    )
    async with local_stack(tmp_path, StackSettings(config=config, slack=True)) as stack:
        await stack.github.create_repository(REPOSITORY)
        yield Scene(stack)


def slack_of(scene: Scene) -> LocalSlack:
    assert scene.stack.slack
    return scene.stack.slack


def said(scene: Scene) -> list[str]:
    return [message.text for message in slack_of(scene).messages("builds")]


async def test_a_command_builds_and_tells_what_came_of_it(slack_scene: Scene) -> None:
    sha = await slack_scene.push(PASSING)
    await slack_scene.concluded(sha)
    assert "building" in await slack_of(slack_scene).command("builds", "UADA", "/ci-build", REPOSITORY)
    run = await slack_scene.concluded(sha, count=2)
    assert (run.name, run.conclusion) == ("Workflow - ci", "success")
    await slack_scene.until(lambda: any("submitted" in text for text in said(slack_scene)))


async def test_somebody_else_is_told_why_nothing_happens(slack_scene: Scene) -> None:
    sha = await slack_scene.push(PASSING)
    await slack_scene.concluded(sha)
    answer = await slack_of(slack_scene).command("builds", "UBOB", "/ci-build", REPOSITORY)
    await slack_scene.quiet()
    assert "slack.access" in answer
    assert len(slack_scene.runs(sha)) == 1


async def test_a_channel_hears_of_failure_and_recovery_of_the_default_branch(slack_scene: Scene) -> None:
    await slack_scene.concluded(await slack_scene.push({**FAILING, "topic": "1"}, branch="topic"))
    await slack_scene.concluded(await slack_scene.push(FAILING))
    await slack_scene.until(lambda: len(said(slack_scene)) == 1)
    await slack_scene.concluded(await slack_scene.push(PASSING))
    await slack_scene.until(lambda: len(said(slack_scene)) == 2)
    await slack_scene.concluded(await slack_scene.push({**PASSING, "x": "1"}))
    await slack_scene.quiet()
    first, second = said(slack_scene)
    assert "failed" in first
    assert REPOSITORY in first
    assert "again" in second


async def test_a_channel_hears_of_a_deployment(slack_scene: Scene) -> None:
    found = yaml.safe_load(workflow(["true"]))
    parameters = [{"name": "environment", "value": "staging"}]
    found["spec"]["templates"][0]["steps"] = [
        [{"name": "staging", "template": "deploy", "arguments": {"parameters": parameters}}]
    ]
    found["spec"]["templates"][1] |= {
        "name": "deploy",
        "inputs": {"parameters": [{"name": "environment"}]},
    }
    await slack_scene.concluded(await slack_scene.push({".kube-ci/ci.yaml": yaml.safe_dump(found)}))
    await slack_scene.until(lambda: any("staging" in text for text in said(slack_scene)))
