"""What a retry does to a failed workflow, and that the engine goes on with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_recordings import comparable_nodes, expected, runnable, scenario
from engine_retry_kit import NOW, again
from engine_stack import Stack

from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.cluster.status import ApiError
from kubeci.local.engine.retry import CannotRetryError, formulate, retry

PHASE = "workflows.argoproj.io/phase"
COMPLETED = "workflows.argoproj.io/completed"


SUCCEEDED_WORDS = "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector"


def recorded(prefix: str, line: int) -> dict[str, Any]:
    text = (scenario(prefix) / "workflow-events.jsonl").read_text().splitlines()[line - 1]
    return json.loads(text)["object"]


def steps_of(stack: Stack, name: str) -> list[tuple[Any, ...]]:
    steps: list[tuple[Any, ...]] = []
    for change in stack.changes(name):
        status = change["object"].get("status", {})
        labels = change["object"]["metadata"].get("labels", {})
        step = (
            change["type"],
            status.get("phase"),
            status.get("message"),
            labels.get(PHASE),
            labels.get(COMPLETED),
        )
        if step not in steps[-1:]:
            steps.append(step)
    return steps


def test_the_recorded_retry() -> None:
    failed = recorded("15", 7)
    retried = formulate(failed, NOW)
    after = recorded("15", 8)
    assert retried.workflow["status"] == after["status"]
    assert retried.workflow["spec"] == after["spec"]
    assert retried.workflow["metadata"]["labels"] == after["metadata"]["labels"]
    assert retried.pods == ("ci-2qqnp-test-3864328828",)
    assert failed == recorded("15", 7), "what was given stays as it was"


async def test_the_engine_goes_on_as_recorded(stack: Stack) -> None:
    manifest = runnable("15")
    name = stack.submit(_told(manifest, "false"))
    await stack.finished(name)
    stack.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": _told(stack.get(name), "true")["spec"]})
    before = {pod["metadata"]["name"]: pod for pod in stack.objects.list(PODS, "ci")}
    done = await again(stack, name)
    after = {pod["metadata"]["name"]: pod for pod in stack.objects.list(PODS, "ci")}

    assert steps_of(stack, name) == [tuple(step.values()) for step in expected("15")["phaseSequence"]]
    assert comparable_nodes(done) == comparable_nodes(recorded("15", 14))
    assert sorted(after) == expected("15")["podNames"]
    kept, ran = "ci-2qqnp-build-1658998088", "ci-2qqnp-test-3864328828"
    assert after[kept]["metadata"]["uid"] == before[kept]["metadata"]["uid"]
    assert after[ran]["metadata"]["uid"] != before[ran]["metadata"]["uid"]
    node_id = "workflows.argoproj.io/node-id"
    assert after[ran]["metadata"]["annotations"][node_id] == before[ran]["metadata"]["annotations"][node_id]


def _told(given: dict[str, Any], command: str) -> dict[str, Any]:
    """Give the workflow with a test that ends so."""
    for template in given["spec"]["templates"]:
        if template["name"] == "test":
            template["container"]["command"] = [command]
    return given


async def test_the_order_of_events_is_that_of_the_recording(stack: Stack) -> None:
    name = stack.submit(runnable("02", "exit 2"))
    await stack.finished(name)
    start = stack.objects.version
    await again(stack, name)
    seen: list[tuple[int, str]] = []
    for resource in (PODS, WORKFLOWS):
        for change in stack.objects.cursor(resource, "ci", start).take():
            phase = change.object.get("status", {}).get("phase", "none")
            what = f"pod {change.type}" if resource is PODS else f"workflow {phase}"
            seen.append((change.resource_version, what))
    events = [what for _, what in sorted(seen)]
    # As in 15-retried: the pod goes, the workflow is put without a phase, the pod comes again, the workflow runs.
    told = [what for what in events if what != "pod MODIFIED"]
    assert told[:4] == ["pod DELETED", "workflow none", "pod ADDED", "workflow Running"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({}, "Cannot retry a workflow in phase "),
        ({"phase": "Running"}, "Cannot retry a workflow in phase Running"),
        ({"phase": "Succeeded"}, SUCCEEDED_WORDS),
    ],
)
def test_what_has_not_failed_is_not_retried(status: dict[str, Any], words: str) -> None:
    given = {"metadata": {"name": "ci"}, "spec": {}, "status": status}
    with pytest.raises(CannotRetryError) as caught:
        formulate(given, NOW)
    assert str(caught.value) == words


async def test_a_workflow_that_is_gone_is_not_found(isolated: Stack) -> None:
    with pytest.raises(ApiError) as caught:
        retry(isolated.objects, "ci", "gone", NOW)
    assert caught.value.code == 404


async def test_a_stopped_workflow_goes_on(isolated: Stack) -> None:
    template = {"name": "main", "container": {"image": "any", "command": ["sh", "-c", "echo on; sleep 600"]}}
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    await isolated.running(name, name)
    isolated.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": "Terminate"}})
    await isolated.finished(name)
    version = isolated.objects.version
    retry(isolated.objects, "ci", name, NOW)
    await isolated.until(
        name,
        lambda found: (
            int(found["metadata"]["resourceVersion"]) > version
            and found["status"].get("nodes", {}).get(name, {}).get("phase") == "Running"
        ),
    )
    assert "shutdown" not in isolated.get(name)["spec"]


async def test_a_workflow_that_cannot_run_ends_the_same_way(isolated: Stack) -> None:
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "gone", "templates": [{"name": "main"}]}}
    )
    first = (await isolated.finished(name))["status"]
    second = (await again(isolated, name))["status"]
    assert (second["phase"], second["message"]) == (first["phase"], first["message"])
    assert second["message"].startswith("invalid spec: ")


async def test_a_retry_while_the_killed_pod_still_ends(isolated: Stack) -> None:
    command = "trap '' TERM; echo on; while :; do sleep 0.05; done"
    template = {"name": "main", "container": {"image": "any", "command": ["sh", "-c", command]}}
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    await isolated.running(name, name)
    first = isolated.pod(name, name)["metadata"]["uid"]
    isolated.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": "Terminate"}})
    await isolated.finished(name)
    assert isolated.pod(name, name)["status"]["phase"] == "Running", "it takes no notice of SIGTERM"
    version = int(retry(isolated.objects, "ci", name, NOW)["metadata"]["resourceVersion"])
    await isolated.until(
        name,
        lambda found: (
            int(found["metadata"]["resourceVersion"]) > version
            and found["status"].get("nodes", {}).get(name, {}).get("phase") == "Running"
        ),
    )
    (pod,) = isolated.objects.list(PODS, "ci")
    assert pod["metadata"]["uid"] != first
    assert "deletionTimestamp" not in pod["metadata"]
