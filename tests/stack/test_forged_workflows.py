"""Who may write workflows in the builds' namespace forges what they carry: our record decides what GitHub is told."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from tests_stack import PASSING, REPOSITORY, workflow
from world import NAMESPACE, Step, World

from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.github.state import CheckRun
from kubeci.workflow import metadata

OTHER = "acme/other"
SUCCEEDED = {"phase": "Succeeded", "startedAt": "2026-01-01T12:00:00Z", "finishedAt": "2026-01-01T12:01:00Z"}


def found(world: World, name: str) -> dict[str, Any]:
    return copy.deepcopy(world.stack.cluster.objects.get(WORKFLOWS, NAMESPACE, name))


def forge(world: World, name: str, source: str, annotations: Mapping[str, str] | None = None) -> None:
    """Create a green workflow with all labels and annotations of another, nonce included, as `argo resubmit` does."""
    meta = found(world, source)["metadata"]
    world.stack.cluster.objects.create(
        WORKFLOWS,
        NAMESPACE,
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {
                "name": name,
                "labels": {**meta["labels"], "workflows.argoproj.io/completed": "true"},
                "annotations": {**meta["annotations"], **(annotations or {})},
            },
            "spec": {"entrypoint": "ci", "templates": [{"name": "ci", "suspend": {}}]},
            "status": SUCCEEDED,
        },
    )


async def built(world: World, repository: str = REPOSITORY) -> tuple[CheckRun, str]:
    """Have a commit built; give its running check-run, and its workflow's name."""
    count = len(world.workflows())
    files = {**PASSING, "README": repository}  # no two commits have one sha
    sha = await world.stack.github.push(repository, files, branch="main", message="A change")
    name = await world.submitted(count + 1)
    [run] = await world.until(lambda: world.runs(sha))
    running = "SELECT id FROM builds WHERE state = 'running'"
    await world.until(lambda: len(world.stored(running)) == count + 1)
    world.status(name, "Running", Step("step-0", "Running"))
    await world.until(lambda: run.status == "in_progress")
    return run, name


async def two_builds(world: World) -> tuple[tuple[CheckRun, str], tuple[CheckRun, str]]:
    await world.stack.github.create_repository(OTHER)
    return await built(world), await built(world, OTHER)


async def settled(world: World, run: CheckRun, name: str) -> None:
    """End a workflow in failure; once its check-run says so, all that came before it was dealt with."""
    world.status(name, "Failed", Step("step-0", "Failed", log="x\n"))
    await world.until(lambda: run.status == "completed")
    assert run.conclusion == "failure"


@pytest.mark.parametrize("name", ["evil", "{name}-b7k2c", "a{name}"])
async def test_a_copy_reports_nothing(world: World, name: str) -> None:
    run, ours = await built(world)
    forge(world, name.format(name=ours), ours)
    await settled(world, run, ours)
    await world.restart()  # a list brings all of them
    await world.quiet()
    assert (run.status, run.conclusion, len(world.runs(run.suite.head_sha))) == ("completed", "failure", 1)


async def test_a_workflow_that_names_anothers_check_run_reports_to_its_own(world: World) -> None:
    (ours, name), (others, others_name) = await two_builds(world)
    stolen = found(world, others_name)["metadata"]
    world.patch(name, {"metadata": {"annotations": stolen["annotations"], "labels": stolen["labels"]}})
    world.status(name, "Succeeded", Step("step-0", "Succeeded", log="src/a.py:3: stolen\n"))
    await world.until(lambda: ours.status == "completed")
    assert (ours.conclusion, others.status) == ("success", "in_progress")
    assert [each["message"] for each in ours.annotations] == ["stolen"]
    await settled(world, others, others_name)
    assert others.annotations == []
    assert (ours.conclusion, ours.suite.repository.full_name) == ("success", REPOSITORY)


async def test_a_new_workflow_with_anothers_numbers_reports_nothing(world: World) -> None:
    (ours, name), (others, others_name) = await two_builds(world)
    numbers = {
        key: value
        for key, value in found(world, others_name)["metadata"]["annotations"].items()
        if key in {metadata.CHECK_RUN_ID, metadata.INSTALLATION, metadata.ORG, metadata.REPO}
    }
    forge(world, "evil", name, numbers)
    await settled(world, ours, name)
    await settled(world, others, others_name)


async def test_who_takes_the_name_of_a_deleted_workflow_takes_nothing_else(world: World) -> None:
    run, name = await built(world)
    carried = found(world, name)
    world.delete(name)
    carried["metadata"] = {key: carried["metadata"][key] for key in ("name", "labels", "annotations")}
    world.stack.cluster.objects.create(WORKFLOWS, NAMESPACE, {**carried, "status": SUCCEEDED})
    await world.until(lambda: run.status == "completed")
    assert run.conclusion == "cancelled"
    world.status(name, "Succeeded", Step("step-0", "Succeeded", log="src/a.py:3: forged\n"))
    await world.restart()
    await world.quiet()
    assert (run.conclusion, run.annotations) == ("cancelled", [])


async def test_who_takes_the_name_while_we_are_away_takes_nothing_else(world: World) -> None:
    run, name = await built(world)
    await world.kill()
    carried = found(world, name)
    world.delete(name)
    carried["metadata"] = {key: carried["metadata"][key] for key in ("name", "labels", "annotations")}
    world.stack.cluster.objects.create(WORKFLOWS, NAMESPACE, {**carried, "status": SUCCEEDED})
    await world.start()
    await world.until(lambda: run.status == "completed")
    assert run.conclusion == "cancelled"


async def test_without_label_and_nonce_it_is_ours_all_the_same(world: World) -> None:
    run, name = await built(world)
    world.patch(
        name, {"metadata": {"annotations": {metadata.BUILD_ID: "forged"}, "labels": {"managedBy": "x"}}}
    )
    await settled(world, run, name)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_no_other_pods_log_is_read(world: World, version: str) -> None:
    run, name = await built(world)
    objects = world.stack.cluster.objects
    spec = {"nodeName": "node", "containers": [{"name": "main", "image": "alpine"}]}
    objects.create(
        PODS, NAMESPACE, {"metadata": {"name": "victim-1"}, "spec": spec, "status": {"phase": "Succeeded"}}
    )
    buffer = objects.logs[NAMESPACE, "victim-1", "main"] = LogBuffer()
    buffer.append(b"src/a.py:1: the victim's secret\n")
    buffer.close()
    world.status(name, "Failed", Step("step-0", "Failed"))
    forged = found(world, name)
    node = {**forged["status"]["nodes"].pop(f"{name}-step-0"), "id": "victim-1", "name": "victim-1"}
    forged["status"]["nodes"] |= {"victim-1": node}
    forged["metadata"]["annotations"]["workflows.argoproj.io/pod-name-format"] = version
    objects.replace(WORKFLOWS, NAMESPACE, name, forged)
    await world.until(lambda: run.status == "completed")
    assert run.annotations == []
    assert "secret" not in str(run.output)


def deploying() -> str:
    definition = yaml.safe_load(workflow(["true"]))
    deploy = {
        "name": "deploy",
        "inputs": {"parameters": [{"name": "environment", "value": "production"}]},
        "container": {"image": "alpine"},
    }
    definition["spec"]["templates"].append(deploy)
    return yaml.safe_dump(definition)


async def test_a_patched_workflow_deploys_nothing_that_its_definition_does_not(world: World) -> None:
    await world.stack.github.create_repository(OTHER)
    sha = await world.push({".kube-ci/ci.yaml": deploying()})
    name = await world.submitted()
    [run] = await world.until(lambda: world.runs(sha))
    wishes = {
        metadata.DEPLOY_TEMPLATES: "deploy",
        metadata.REPO: "other",
        metadata.DEPLOYMENT_IDS: '{"x": 1}',
    }
    world.patch(name, {"metadata": {"annotations": wishes}})
    world.status(name, "Succeeded", Step("deploy", "Succeeded", log="x\n"))
    forged = found(world, name)
    inputs = {"parameters": [{"name": "environment", "value": "production"}]}
    forged["status"]["nodes"][f"{name}-deploy"] |= {"inputs": inputs}
    world.stack.cluster.objects.replace(WORKFLOWS, NAMESPACE, name, forged)
    await world.until(lambda: run.status == "completed")
    assert not world.stack.github.state.deployments
