from __future__ import annotations

from typing import Any

import pytest
from engine_recordings import comparable_nodes, expected, facts, last_object, runnable
from engine_stack import Stack

from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOWS

BY_THEMSELVES = [
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "07",
    "12",
    "14",
    "16",
    "22",
    "25",
    "29",
    "31",
    "34",
    "36",
]
LONG = "echo begun; exec sleep 600"


def compare(prefix: str, workflow: dict[str, Any]) -> None:
    recorded = last_object(prefix)
    assert comparable_nodes(workflow) == comparable_nodes(recorded)
    assert facts(workflow) == facts(recorded)
    assert workflow["metadata"]["labels"] == expected(prefix)["labels"]


def compare_pods(stack: Stack, prefix: str) -> None:
    pods = stack.objects.list(PODS, "ci")
    assert sorted(pod["metadata"]["name"] for pod in pods) == expected(prefix)["podNames"]
    for node in expected(prefix)["podNodes"]:
        for pod in pods:
            if pod["metadata"]["name"] == node["podName"]:
                annotations = pod["metadata"]["annotations"]
                assert annotations["workflows.argoproj.io/node-id"] == node["id"]
                assert annotations["workflows.argoproj.io/node-name"] == node["name"]


def phase_sequence(stack: Stack, name: str) -> list[tuple[Any, ...]]:
    steps: list[tuple[Any, ...]] = []
    for change in stack.changes(name):
        workflow = change["object"]
        status, labels = workflow.get("status", {}), workflow["metadata"].get("labels", {})
        step = (
            change["type"],
            status.get("phase"),
            status.get("message"),
            labels.get("workflows.argoproj.io/phase"),
            labels.get("workflows.argoproj.io/completed"),
        )
        if step not in steps[-1:]:
            steps.append(step)
    return steps


@pytest.mark.parametrize("prefix", BY_THEMSELVES)
async def test_a_recorded_workflow_ends_as_it_did(stack: Stack, prefix: str) -> None:
    workflow = await stack.finished(stack.submit(runnable(prefix)))
    compare(prefix, workflow)
    compare_pods(stack, prefix)
    assert phase_sequence(stack, workflow["metadata"]["name"]) == [
        tuple(step.values()) for step in expected(prefix)["phaseSequence"]
    ]


@pytest.mark.parametrize("prefix", ["01", "03"])
async def test_the_spec_is_rewritten_as_the_controller_does(stack: Stack, prefix: str) -> None:
    workflow = await stack.finished(stack.submit(runnable(prefix)))
    recorded = last_object(prefix)
    for template in [*workflow["spec"]["templates"], *recorded["spec"]["templates"]]:
        template.get("container", {}).pop("command", None)
    assert workflow["spec"] == recorded["spec"]


async def test_08_a_suspended_node_is_resumed_by_a_put(stack: Stack) -> None:
    name = stack.submit(runnable("08"))
    workflow = await stack.until(name, lambda found: "approve" in str(found.get("status", {}).get("nodes")))
    node = stack.node(name, "approve")
    workflow["status"]["nodes"][node["id"]] |= {"phase": "Succeeded", "finishedAt": node["startedAt"]}
    stack.objects.replace(WORKFLOWS, "ci", name, workflow)
    compare("08", await stack.finished(name))


@pytest.mark.parametrize(("prefix", "strategy"), [("09", "Terminate"), ("10", "Stop")])
async def test_a_workflow_is_shut_down(stack: Stack, prefix: str, strategy: str) -> None:
    workflow = runnable(prefix, LONG)
    for template in workflow["spec"]["templates"]:
        if template["name"] == "cleanup":
            template["container"]["command"] = ["true"]
    name = stack.submit(workflow)
    await stack.running(name, "build")
    stack.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": strategy}})
    compare(prefix, await stack.finished(name))
    compare_pods(stack, prefix)


async def test_11_a_deleted_workflow_takes_its_pods_with_it(stack: Stack) -> None:
    name = stack.submit(runnable("11", LONG))
    await stack.running(name, name)
    start = stack.objects.version
    stack.objects.delete(WORKFLOWS, "ci", name)
    async for change in stack.objects.watch(PODS, "ci", start):
        if change.type == "DELETED":
            break
    assert stack.changes(name)[-1]["type"] == "DELETED"
    assert stack.changes(name)[-1]["object"]["status"]["phase"] == "Running"


async def test_13_a_pod_that_runs_too_long_fails(stack: Stack) -> None:
    name = stack.submit(_with_deadline(runnable("13", LONG), 1))
    compare("13", await stack.finished(name))


async def test_26_a_failed_command_fails_the_pod_as_a_kubelet_writes_it(stack: Stack) -> None:
    workflow = await stack.finished(stack.submit(runnable("26", "exit 2")))
    compare("26", workflow)
    status = stack.pod(workflow["metadata"]["name"], workflow["metadata"]["name"])["status"]
    wait, main = (one["state"]["terminated"] for one in status["containerStatuses"])
    assert status["phase"] == "Failed"
    assert (wait["exitCode"], wait["reason"]) == (0, "Completed")
    assert (main["exitCode"], main["reason"], main.get("message")) == (2, "Error", None)


async def test_30_a_pod_waits_for_its_claim(stack: Stack) -> None:
    name = stack.submit(runnable("30"))
    await stack.until(name, lambda found: "Unschedulable" in str(found.get("status", {}).get("nodes")))
    message = (
        'Unschedulable: 0/1 nodes are available: persistentvolumeclaim "cache-nosuch" not found. not found'
    )
    assert stack.node(name, name)["message"] == message
    stack.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": "Terminate"}})
    compare("30", await stack.finished(name))


async def test_18_a_claim_keeps_what_a_step_leaves_in_it(stack: Stack) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "cache-main"},
        "spec": {},
    }
    stack.objects.create(CLAIMS, "ci", claim)
    workflow = await stack.finished(stack.submit(runnable("18", "echo kept > /cache/file")))
    compare("18", workflow)
    (kept,) = stack.folder.glob("claims/ci/cache-main-*/file")
    assert kept.read_text() == "kept\n"


async def test_35_a_workflow_created_suspended_waits(stack: Stack) -> None:
    name = stack.submit(runnable("35"))
    workflow = await stack.until(name, lambda found: found.get("status", {}).get("phase") == "Running")
    assert "nodes" not in workflow["status"]
    assert workflow["status"]["progress"] == "0/0"
    del workflow["spec"]["suspend"]
    stack.objects.replace(WORKFLOWS, "ci", name, workflow)
    compare("35", await stack.finished(name))


async def test_a_pod_is_seen_before_its_node(stack: Stack) -> None:
    name = stack.submit(runnable("03"))
    await stack.finished(name)
    first_seen: dict[str, int] = {}
    for change in stack.changes(name):
        version = int(change["object"]["metadata"]["resourceVersion"])
        for node in change["object"].get("status", {}).get("nodes", {}).values():
            first_seen.setdefault(node["id"], version)
    added = {}
    for change in stack.objects.cursor(PODS, "ci", 1).take():
        if change.type == "ADDED":
            pod = change.object
            version = int(pod["metadata"]["resourceVersion"])
            added[pod["metadata"]["annotations"]["workflows.argoproj.io/node-id"]] = version
    assert len(added) == 5
    assert all(version < first_seen[node] for node, version in added.items())


def _with_deadline(workflow: dict[str, Any], seconds: float) -> dict[str, Any]:
    workflow["spec"]["activeDeadlineSeconds"] = seconds
    return workflow
