"""Cancel and Terminate from a check-run, and the retry of only what failed."""

from __future__ import annotations

from pathlib import Path

from tests_stack import REPOSITORY, Scene, SharedScene, workflow

from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.stack import StackSettings, local_stack
from kubeci.model.trust import Answer, What, Who
from kubeci.settings.config import Config
from kubeci.settings.pattern import Pattern

LONG = {".kube-ci/ci.yaml": workflow(["sleep", "60"])}


async def running(scene: SharedScene) -> str:
    sha = await scene.push(LONG)
    await scene.until(lambda: scene.runs(sha) and scene.runs(sha)[0].status == "in_progress")
    return sha


def pods(scene: SharedScene) -> dict[str, str]:
    """The uids of the pods of the scene's workflow, by name."""
    [name] = [each["metadata"]["name"] for each in scene.workflows()]
    found = scene.stack.cluster.objects.list(PODS, None)
    ours = [
        pod["metadata"]
        for pod in found
        if pod["metadata"]["labels"]["workflows.argoproj.io/workflow"] == name
    ]
    return {each["name"]: each["uid"] for each in ours}


async def test_cancel_stops_the_workflow_and_says_who_did(scene: SharedScene) -> None:
    sha = await running(scene)
    run = scene.runs(sha)[0]
    assert [action["label"] for action in run.actions] == ["Cancel"]
    await scene.stack.github.press(run.id, "cancel")
    await scene.concluded(sha)
    assert (run.conclusion, "cancelled by octocat" in str(run.output["summary"])) == ("cancelled", True)
    assert run.actions == []


async def test_a_second_cancel_terminates(still: SharedScene) -> None:
    sha = await still.push(LONG)
    await still.until(lambda: still.runs(sha))
    await still.quiet()
    run = still.runs(sha)[0]
    for wanted in ("Stop", "Terminate"):
        await still.stack.github.press(run.id, "cancel")
        await still.quiet()
        [workflow_] = still.workflows()
        assert workflow_["spec"]["shutdown"] == wanted


async def test_one_press_is_no_second_one_however_often_it_is_tried(still: SharedScene) -> None:
    sha = await still.push(LONG)
    await still.until(lambda: still.runs(sha))
    await still.quiet()
    # The cluster stops the workflow, and its answer is lost.
    still.stack.cluster.faults.add(
        "PATCH", f"/workflows/{still.workflows()[0]['metadata']['name']}", drop=True, after=True, times=2
    )
    await still.stack.github.press(still.runs(sha)[0].id, "cancel")
    await still.quiet()
    [workflow_] = still.workflows()
    assert workflow_["spec"]["shutdown"] == "Stop"


async def test_whom_the_table_does_not_let_cancel_nothing(tmp_path: Path) -> None:
    config = Config(build_branches=Pattern("."), trust={What.CANCEL: dict.fromkeys(Who, Answer.IGNORE)})
    async with local_stack(tmp_path, StackSettings(config=config, engine=False)) as stack:
        await stack.github.create_repository(REPOSITORY)
        scene = Scene(stack)
        sha = await scene.push(LONG)
        await scene.until(lambda: scene.runs(sha))
        await scene.quiet()
        await stack.github.press(scene.runs(sha)[0].id, "cancel")
        await scene.quiet()
        [workflow_] = stack.cluster.objects.list(WORKFLOWS, None)
        assert "shutdown" not in workflow_["spec"]
        assert [reason for _, _, reason in scene.deliveries("done") if "cancelButton" in reason]


def end_of_failed(scene: SharedScene) -> str:
    """When the failed step of the scene's workflow ended, as Argo tells it."""
    [workflow_] = scene.workflows()
    nodes = workflow_["status"]["nodes"].values()
    [end] = [each["finishedAt"] for each in nodes if (each["type"], each["phase"]) == ("Pod", "Failed")]
    return str(end)


async def test_a_rerun_of_a_failure_runs_only_what_failed(scene: SharedScene) -> None:
    sha = await scene.push({".kube-ci/ci.yaml": workflow(["true"], ["false"])})
    run = await scene.concluded(sha)
    before, first_end = pods(scene), end_of_failed(scene)
    await scene.stack.github.rerequest(run.id)
    again = await scene.concluded(sha, count=2)
    after = pods(scene)
    # All that tells two attempts apart for a server that comes later; Argo tells whole seconds.
    assert end_of_failed(scene) > first_end
    assert (again.name, again.conclusion, again.details_url) == (run.name, "failure", run.details_url)
    assert len(scene.workflows()) == 1
    assert set(before) == set(after)
    assert sum(before[name] != after[name] for name in before) == 1


async def test_without_its_workflow_a_failure_is_built_anew(scene: SharedScene) -> None:
    objects = scene.stack.cluster.objects
    sha = await scene.push({".kube-ci/ci.yaml": workflow(["false"])})
    run = await scene.concluded(sha)
    [old] = scene.workflows()
    meta = old["metadata"]
    objects.delete(WORKFLOWS, meta["namespace"], meta["name"])
    await scene.stack.github.rerequest(run.id)
    again = await scene.concluded(sha, count=2)
    [new] = scene.workflows()
    assert (again.conclusion, new["metadata"]["name"] != meta["name"]) == ("failure", True)


async def test_a_rerun_of_a_success_is_built_anew(scene: SharedScene) -> None:
    sha = await scene.push({".kube-ci/ci.yaml": workflow(["true"])})
    run = await scene.concluded(sha)
    await scene.stack.github.rerequest(run.id)
    again = await scene.concluded(sha, count=2)
    assert again.details_url != run.details_url
