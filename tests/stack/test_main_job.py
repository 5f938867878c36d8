"""The main job, over HTTP as GitHub and the cluster do it."""

from __future__ import annotations

import pytest
from tests_stack import PASSING, Scene, SharedScene, workflow

from kubeci.local.cluster.resources import WORKFLOWS
from kubeci.local.examples import differences, load_example
from kubeci.workflow import metadata


@pytest.mark.parametrize("name", ["matrix", "failing", "starlark", "yaml"])
async def test_every_example_ends_as_it_says(scene: SharedScene, name: str) -> None:
    example = load_example(name)
    sha = await scene.push(example.files)
    await scene.concluded(sha)
    assert differences(example.expected, {run.name: run for run in scene.runs(sha)}) == []


async def test_a_push_costs_one_read_and_three_writes(alone: Scene) -> None:
    # It runs long enough to be reported before its end on a loaded machine too.
    sha = await alone.push({".kube-ci/ci.yaml": workflow(["sleep", "1"])})
    run = await alone.concluded(sha)
    assert run.conclusion == "success"
    assert len(alone.api_calls("POST", "/graphql")) == 1
    assert len(alone.api_calls("POST", "/check-runs")) == 1
    assert len(alone.api_calls("PATCH", "/check-runs")) == 2
    assert len(alone.api_calls("GET", "/")) == 0


async def test_the_workflow_is_found_from_the_check_run_and_back(scene: SharedScene) -> None:
    sha = await scene.push(PASSING)
    run = await scene.concluded(sha)
    [submitted] = scene.workflows()
    name = submitted["metadata"]["name"]
    assert run.details_url == f"{scene.stack.options.argo_ui}/workflows/argo/{name}"
    assert run.external_id == "ci"
    assert run.output["title"] == f"Workflow Run (argo/{name})"
    carried = metadata.annotations_of(submitted)
    assert carried[metadata.CHECK_RUN_ID] == str(run.id)
    assert carried[metadata.SHA] == sha


async def test_what_a_definition_prints_is_shown(scene: SharedScene) -> None:
    sha = await scene.push(load_example("starlark").files)
    run = await scene.concluded(sha)
    assert "2 checks for branch main" in str(run.output["text"])


async def test_rerun_of_a_check_run_builds_that_entrypoint_again(scene: SharedScene) -> None:
    sha = await scene.push(PASSING)
    first = await scene.concluded(sha)
    await scene.stack.github.rerequest(first.id)
    second = await scene.concluded(sha, count=2)
    assert (second.name, second.external_id, second.conclusion) == ("Workflow - ci", "ci", "success")
    assert second.id != first.id
    assert len(scene.workflows()) == 2


async def test_rerun_of_a_suite_builds_again(scene: SharedScene) -> None:
    sha = await scene.push(PASSING)
    first = await scene.concluded(sha)
    await scene.stack.github.rerequest_suite(first.suite.id)
    await scene.concluded(sha, count=2)


@pytest.mark.parametrize("message", [None, "annotated"])
async def test_a_tag_is_built_when_the_definition_says_so(scene: SharedScene, message: str | None) -> None:
    definition = workflow(
        ["true"], annotations={metadata.RUN_FOR_BRANCH: "false", metadata.RUN_FOR_TAG: "true"}
    )
    sha = await scene.push({".kube-ci/ci.yaml": definition})
    await scene.quiet()
    assert scene.runs(sha) == []
    await scene.stack.github.tag(scene.repository, "v1.0", sha, message=message)
    run = await scene.concluded(sha)
    assert run.conclusion == "success"
    [submitted] = scene.workflows()
    given = {entry["name"]: entry["value"] for entry in submitted["spec"]["arguments"]["parameters"]}
    assert (given["tag"], given["refType"], given["revision"]) == ("v1.0", "tag", sha)


async def test_one_sha_on_two_branches_is_built_once(scene: SharedScene) -> None:
    sha = await scene.push(PASSING)
    await scene.concluded(sha)
    await scene.stack.github.push(scene.repository, {}, branch="other", base=sha, message="A change")
    await scene.quiet()
    repeated = scene.sent("check_suite")[0]
    await redeliver(scene, repeated.id)
    await scene.quiet()
    assert len(scene.runs(sha)) == 1


async def redeliver(scene: SharedScene, delivery_id: int) -> None:
    found = scene.stack.github.deliveries.find(delivery_id)
    assert found
    scene.stack.github.deliveries.add(found.event, found.payload, guid=found.guid)
    await scene.stack.github.settled()


async def test_a_newer_build_of_a_branch_supersedes_the_older(scene: SharedScene) -> None:
    older = await scene.push({".kube-ci/ci.yaml": workflow(["sleep", "60"])})
    await scene.until(lambda: [run for run in scene.runs(older) if run.status == "in_progress"])
    newer = await scene.push(PASSING)
    stopped = await scene.concluded(older)
    assert stopped.conclusion == "cancelled"
    assert "superseded by" in str(stopped.output["summary"])
    assert (await scene.concluded(newer)).conclusion == "success"


async def test_branches_and_tags_do_not_stop_each_other(scene: SharedScene) -> None:
    slow = workflow(["sleep", "1"], annotations={metadata.RUN_FOR_TAG: "true"})
    one = await scene.push({".kube-ci/ci.yaml": slow})
    other = await scene.push({".kube-ci/ci.yaml": slow, "x": "y"}, branch="other")
    await scene.stack.github.tag(scene.repository, "main", one)
    assert (await scene.concluded(one, count=2)).conclusion == "success"
    assert (await scene.concluded(other)).conclusion == "success"


async def test_a_commit_without_ci_files_gets_no_check_run(scene: SharedScene) -> None:
    bare = await scene.push({"README.md": "hello"})
    empty = await scene.push({".kube-ci/notes.txt": "no definition"}, branch="other")
    await scene.quiet()
    assert scene.runs(bare) == []
    assert scene.runs(empty) == []
    assert {reason for _, _, reason in scene.deliveries()} == {"the commit has no CI definition"}


async def test_workflow_none_means_nothing_to_run(scene: SharedScene) -> None:
    sha = await scene.push({".kube-ci/ci.star": "workflow = None\n"})
    await scene.quiet()
    assert scene.runs(sha) == []


async def test_a_deleted_workflow_is_cancelled(scene: SharedScene) -> None:
    sha = await scene.push({".kube-ci/ci.yaml": workflow(["sleep", "60"])})
    await scene.until(lambda: [run for run in scene.runs(sha) if run.status == "in_progress"])
    [running] = scene.workflows()
    scene.stack.cluster.objects.delete(WORKFLOWS, "argo", running["metadata"]["name"])
    assert (await scene.concluded(sha)).conclusion == "cancelled"


async def test_more_than_fifty_annotations_all_arrive_once(scene: SharedScene) -> None:
    script = "for i in $(seq 1 120); do echo src/a.py:$i: error: line $i; done; exit 1"
    sha = await scene.push({".kube-ci/ci.yaml": workflow(["sh", "-c", script])})
    run = await scene.concluded(sha)
    await scene.until(lambda: len(run.annotations) >= 120)
    assert [annotation["start_line"] for annotation in run.annotations] == list(range(1, 121))
    assert {annotation["annotation_level"] for annotation in run.annotations} == {"failure"}
