"""Commits made to confuse: odd CI folders, names and histories end in a check-run with the reason, or in nothing."""

from __future__ import annotations

import pytest
from tests_stack import PASSING, SharedScene, workflow

from kubeci.local.github.repositories import Files, submodule, symlink
from kubeci.workflow import metadata

DEFINITION = ".kube-ci/ci.yaml"
MANY = {f".kube-ci/f{number:05}.txt": "x" for number in range(10_000)}

NOTHING_IS_DUE: list[tuple[str, Files]] = [
    ("the folder is a file", {".kube-ci": "kind: Workflow"}),
    ("the folder is a link out", {".kube-ci": symlink("../../etc")}),
    ("the folder is a submodule", {".kube-ci": submodule("1" * 40)}),
    ("the folder is empty of definitions", {".kube-ci/ci.yml": PASSING[DEFINITION]}),
]


@pytest.mark.parametrize(
    "files", [files for _, files in NOTHING_IS_DUE], ids=[name for name, _ in NOTHING_IS_DUE]
)
async def test_what_is_no_definition_asks_for_nothing(still: SharedScene, files: Files) -> None:
    sha = await still.push(files)
    await still.quiet()
    assert still.runs(sha) == []
    assert [state for _, state, _ in still.deliveries()] == ["done", "done"]


FAILS: list[tuple[str, Files, str]] = [
    ("the definition is a link out", {DEFINITION: symlink("../../../etc/passwd")}, "link"),
    ("the definition is binary", {DEFINITION: b"kind: \0Workflow"}, "binary"),
    (
        "a bad switch",
        {DEFINITION: workflow(["true"], annotations={metadata.RUN_FOR_BRANCH: "yes"})},
        "runForBranch",
    ),
    (
        "too many path patterns",
        {
            DEFINITION: workflow(
                ["true"], annotations={metadata.RUN_IF_CHANGED: ",".join(map(str, range(101)))}
            )
        },
        "101 path patterns",
    ),
    ("loads a way out", {".kube-ci/ci.star": 'load("../secret.star", "x")\nworkflow = x\n'}, "ci.star"),
    ("loads unicode", {".kube-ci/ci.star": 'load("ünï cödé.star", "x")\nworkflow = x\n'}, "ci.star"),
]


@pytest.mark.parametrize(("files", "says"), [case[1:] for case in FAILS], ids=[case[0] for case in FAILS])
async def test_what_is_wrong_says_so(still: SharedScene, files: Files, says: str) -> None:
    sha = await still.push(files)
    run = await still.concluded(sha)
    assert (run.name, run.conclusion) == ("Default Workflow", "failure")
    assert says in str(run.output["summary"])


async def test_ten_thousand_files_are_bounded_and_the_definition_is_still_found(still: SharedScene) -> None:
    sha = await still.push(MANY | PASSING)
    await still.until(lambda: still.runs(sha))
    assert [run.name for run in still.runs(sha)] == ["Workflow - ci"]


@pytest.mark.parametrize("branch", ["ünï/cödé", "a-" + "x" * 200, "#weird%name", "b/-dash.x"])
async def test_odd_branch_names_are_built(still: SharedScene, branch: str) -> None:
    sha = await still.push(PASSING, branch=branch)
    await still.until(lambda: still.runs(sha))
    assert [run.name for run in still.runs(sha)] == ["Workflow - ci"]


async def test_one_sha_on_several_branches_is_one_build(still: SharedScene) -> None:
    sha = await still.push(PASSING)
    for branch in ("one", "two"):
        await still.stack.github.push(still.repository, {}, branch=branch, base=sha, message="A change")
    await still.quiet()
    assert len(still.runs(sha)) == 1


async def test_a_branch_that_is_gone_before_its_build_does_not_stop_others(still: SharedScene) -> None:
    github = still.stack.github
    github.webhook_url, address = "", github.webhook_url
    await still.push({"README.md": "x"})
    gone = await still.push(PASSING, branch="gone")
    await github.delete(still.repository, "refs/heads/gone")
    await github.settled()
    github.webhook_url = address
    for each in still.sent():
        github.deliveries.add(each.event, each.payload, guid=each.guid)
    following = await still.push(PASSING, branch="next")
    await still.until(lambda: still.runs(following))
    await still.quiet()
    assert {state for _, state, _ in still.deliveries()} == {"done"}
    assert len(still.runs(gone)) <= 1


async def test_a_base_branch_without_definition_gives_a_fork_nothing(scene: SharedScene) -> None:
    github = scene.stack.github
    await scene.push({"README.md": "x"})
    await github.fork(scene.repository, "stranger")
    github.user = "stranger"
    sha = await github.push(scene.fork_name, PASSING, branch="patch")
    await github.open_pull_request(scene.repository, head=f"{scene.fork_name}:patch")
    await scene.quiet()
    assert scene.runs(sha) == []


async def test_a_force_push_in_between_builds_what_stands_now(scene: SharedScene) -> None:
    base = await scene.push(PASSING)
    await scene.concluded(base)
    slow = {DEFINITION: workflow(["sleep", "60"])}
    first = await scene.stack.github.push(scene.repository, slow, branch="feature", base=base)
    await scene.until(lambda: [run for run in scene.runs(first) if run.status == "in_progress"])
    second = await scene.stack.github.push(
        scene.repository, {"x": "y"}, branch="feature", base=base, message="Forced"
    )
    assert (await scene.concluded(second)).conclusion == "success"
    assert (await scene.concluded(first)).conclusion == "cancelled"
