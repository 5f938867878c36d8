"""Which events build what, and by whom: over HTTP, as GitHub sends them."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from tests_stack import PASSING, Scene, SharedScene, workflow

from kubeci.local.github.deliveries import Delivery
from kubeci.local.github.state import CheckRun
from kubeci.workflow import metadata

DEFINITION = ".kube-ci/ci.yaml"


def asking(scene: SharedScene, sha: str) -> CheckRun | None:
    found = [run for run in scene.runs(sha) if run.conclusion == "action_required"]
    return found[0] if found else None


def named(scene: SharedScene, sha: str, name: str) -> list[CheckRun]:
    return [run for run in scene.runs(sha) if run.name == name]


async def fork_pull_request(scene: SharedScene, files: dict[str, str]) -> Any:
    """A stranger's pull request; gives it and its head's sha."""
    github = scene.stack.github
    await github.fork(scene.repository, "stranger")
    github.user = "stranger"
    sha = await github.push(scene.fork_name, files, branch="patch", message="Mine")
    pull = await github.open_pull_request(scene.repository, head=f"{scene.fork_name}:patch", title="Please")
    github.user = "octocat"
    return pull, sha


async def test_a_forks_pull_request_waits_until_a_writer_presses_run(strict: SharedScene) -> None:
    main = await strict.push(PASSING)
    await strict.concluded(main)
    evil = workflow(["sh", "-c", "echo stolen"])
    _, sha = await fork_pull_request(strict, {DEFINITION: evil, "x": "y"})
    run = await strict.until(lambda: asking(strict, sha))
    assert run.name == "Default Workflow"
    assert [action["identifier"] for action in run.actions] == ["run"]
    assert "refusing to build non-local PR" in str(run.output["summary"])

    github = strict.stack.github
    github.user = "stranger"
    await github.press(run.id, "run")
    await strict.quiet()
    assert len(strict.workflows()) == 1, "the author may not allow their own code"

    github.collaborator(strict.repository, "ada", "write")
    github.user = "ada"
    await github.press(run.id, "run")
    await strict.until(lambda: [each for each in named(strict, sha, "Workflow - ci") if each.conclusion])
    built = next(each for each in strict.workflows() if metadata.annotations_of(each)[metadata.SHA] == sha)
    commands = [each["container"]["command"] for each in built["spec"]["templates"] if "container" in each]
    assert commands == [["true"]], "the definition is the base branch's"
    await strict.until(lambda: run.conclusion == "neutral")
    assert "superseded by" in str(run.output["summary"])


async def test_a_pushed_fork_head_asks_again_and_the_old_run_is_bound_to_its_sha(strict: SharedScene) -> None:
    await strict.concluded(await strict.push(PASSING))
    _, first = await fork_pull_request(strict, {"x": "1"})
    await strict.until(lambda: asking(strict, first))
    github = strict.stack.github
    github.user = "stranger"
    second = await github.push(strict.fork_name, {"x": "2"}, branch="patch")
    run = await strict.until(lambda: asking(strict, second))
    assert run.suite.head_sha == second
    await strict.quiet()
    assert len(strict.workflows()) == 1


async def test_a_branch_is_built_when_its_pull_request_makes_it_right(strict: SharedScene) -> None:
    await strict.concluded(await strict.push(PASSING))
    github = strict.stack.github
    sha = await strict.push({"x": "1"}, branch="feature")
    refusal = await strict.until(lambda: named(strict, sha, "Default Workflow"))
    assert refusal[0].conclusion == "neutral"
    pull = await github.open_pull_request(strict.repository, head="feature", draft=True)
    await strict.until(lambda: asking(strict, sha))
    assert len(strict.runs(sha)) == 1, "the refusal is one check-run that changes its reason"
    await github.ready_for_review(pull)
    await strict.until(lambda: [each for each in named(strict, sha, "Workflow - ci") if each.conclusion])
    await strict.until(lambda: refusal[0].conclusion == "neutral")


async def test_a_retargeted_pull_request_is_built(strict: SharedScene) -> None:
    await strict.concluded(await strict.push(PASSING))
    github = strict.stack.github
    await strict.push({"r": "1"}, branch="release")
    sha = await strict.push({"x": "1"}, branch="feature")
    pull = await github.open_pull_request(strict.repository, head="feature", base="release")
    await strict.until(lambda: asking(strict, sha))
    await github.edit_pull_request(pull, title="Another title")
    await strict.quiet()
    assert named(strict, sha, "Workflow - ci") == []
    await github.edit_pull_request(pull, base="main")
    await strict.until(lambda: [each for each in named(strict, sha, "Workflow - ci") if each.conclusion])


async def test_a_closed_pull_requests_builds_are_stopped(strict: SharedScene) -> None:
    await strict.concluded(await strict.push(PASSING))
    github = strict.stack.github
    sha = await strict.push({DEFINITION: workflow(["sleep", "60"])}, branch="feature")
    await strict.until(lambda: named(strict, sha, "Default Workflow"))
    pull = await github.open_pull_request(strict.repository, head="feature")
    await strict.until(lambda: [each for each in strict.runs(sha) if each.status == "in_progress"])
    await github.close_pull_request(pull)
    run = await strict.concluded(sha, count=2)
    assert run.conclusion == "cancelled"
    assert f"pull request #{pull.number} was closed" in str(run.output["summary"])


async def test_the_merge_queue_is_always_built(strict: SharedScene) -> None:
    await strict.concluded(await strict.push(PASSING))
    await strict.push({"x": "1"}, branch="feature")
    pull = await strict.stack.github.open_pull_request(strict.repository, head="feature")
    group = await strict.stack.github.enqueue(pull)
    run = await strict.concluded(group.head_sha)
    assert (run.name, run.conclusion) == ("Workflow - ci", "success")


@pytest.mark.parametrize("words", ["[skip ci]", "[ci skip]"])
async def test_skip_ci_is_a_neutral_default_check(scene: SharedScene, words: str) -> None:
    sha = await scene.push(PASSING, message=f"Words {words}")
    run = await scene.concluded(sha)
    assert (run.name, run.conclusion) == ("Default Workflow", "neutral")
    await scene.stack.github.rerequest(run.id)
    await scene.until(lambda: named(scene, sha, "Workflow - ci"))


async def test_a_push_without_a_check_suite_builds_by_itself(scene: SharedScene) -> None:
    github = scene.stack.github
    github.webhook_url, address = "", github.webhook_url
    sha = await scene.push(PASSING)
    await github.settled()
    github.webhook_url = address
    github.deliver("push", scene.sent("push")[0].payload)
    assert (await scene.concluded(sha)).conclusion == "success"


async def test_skip_checks_means_nothing_at_all(scene: SharedScene) -> None:
    sha = await scene.push(PASSING, message="Fix\n\nskip-checks: true")
    await scene.quiet()
    assert scene.runs(sha) == []
    assert [reason for event, _, reason in scene.deliveries() if event == "push"] == [
        "push: its head commit says `skip-checks: true`"
    ]


async def test_a_push_of_a_repository_without_ci_costs_one_read(alone: Scene) -> None:
    await alone.push({"README.md": "hello"})
    await alone.quiet()
    assert len(alone.api_calls("POST", "/graphql")) == 1
    assert [state for _, state, _ in alone.deliveries()] == ["done", "done"]


PATHS = workflow(
    ["true"], annotations={metadata.RUN_IF_CHANGED: "src/**", metadata.SKIP_IF_ONLY_CHANGED: "*.md"}
)


async def test_what_did_not_change_is_skipped_with_the_reason(scene: SharedScene) -> None:
    first = await scene.push({DEFINITION: PATHS, "src/a": "1"})
    assert (await scene.concluded(first)).conclusion == "success", "what stood before is not known"
    docs = await scene.push({"README.md": "hello"})
    run = await scene.concluded(docs)
    assert (run.name, run.conclusion) == ("Workflow - ci", "skipped")
    assert "no changed file matches `src/**`" in str(run.output["summary"])
    code = await scene.push({"src/a": "2"})
    assert (await scene.concluded(code)).conclusion == "success"
    # Whoever asks for it gets it all the same.
    await scene.stack.github.rerequest(run.id)
    again = await scene.concluded(docs, count=2)
    assert again.conclusion == "success"


async def test_a_pull_requests_changes_count_from_the_merge_base(scene: SharedScene) -> None:
    await scene.concluded(await scene.push({DEFINITION: PATHS, "src/a": "1"}))
    base = await scene.push({"src/a": "2"})
    await scene.concluded(base)
    sha = await scene.stack.github.push(
        scene.repository, {"README.md": "x"}, branch="docs", base=base, message="Docs\n\nskip-checks: true"
    )
    await scene.push({"src/b": "3"})
    await scene.stack.github.push(scene.repository, {"NEWS.md": "x"}, branch="docs")
    await scene.stack.github.open_pull_request(scene.repository, head="docs")
    head = str(
        next(
            each.payload["after"]
            for each in reversed(scene.sent("push"))
            if each.payload["ref"] == "refs/heads/docs"
        )
    )
    assert head != sha
    run = await scene.concluded(head)
    assert run.conclusion == "skipped"


async def test_starlark_sees_the_changed_files(scene: SharedScene) -> None:
    star = "print(input.changed_files)\nworkflow = None\n"
    await scene.push({".kube-ci/ci.star": star, DEFINITION: PASSING[DEFINITION]})
    sha = await scene.push({"src/a": "1", "src/b": "2"})
    await scene.concluded(sha)
    assert len(scene.api_calls("GET", "/compare/")) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_a_commit_is_built_once_in_whatever_order_and_however_often_events_come(
    still: SharedScene, seed: int
) -> None:
    """Events of one pull request's head, shuffled, repeated as redeliveries and as deliveries of their own."""
    github = still.stack.github
    await still.until(lambda: still.stack.server_url)
    await still.push({"README.md": "hello"})
    await still.quiet()
    github.webhook_url, address = "", github.webhook_url  # what follows is delivered by hand
    sha = await still.push(PASSING, branch="feature")
    pull = await github.open_pull_request(still.repository, head="feature")
    await github.ready_for_review(pull)
    await github.settled()
    github.webhook_url = address
    wanted = {"check_suite", "push", "pull_request"}
    events = [each for each in still.sent(*wanted) if _head(each) == sha]
    assert {each.event for each in events} == wanted
    chance = random.Random(seed)
    order = events * 3
    chance.shuffle(order)
    for each in order:
        github.deliveries.add(each.event, each.payload, guid=each.guid if chance.random() < 0.5 else None)
        if chance.random() < 0.3:
            await asyncio.sleep(0)
    await still.quiet()
    assert len(still.workflows()) == 1
    assert [run.name for run in still.runs(sha)] == ["Workflow - ci"]


def _head(delivery: Delivery) -> str:
    payload = delivery.payload
    pull, suite = payload.get("pull_request"), payload.get("check_suite")
    return str(pull["head"]["sha"] if pull else suite["head_sha"] if suite else payload.get("after"))
