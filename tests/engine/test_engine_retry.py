"""What a retry does to a failed workflow, and that the engine goes on with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from engine_recordings import comparable_nodes, expected, runnable, scenario
from engine_stack import Stack

from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOWS
from kubeci.local.cluster.status import ApiError
from kubeci.local.engine.retry import CannotRetryError, formulate, retry

PHASE = "workflows.argoproj.io/phase"
COMPLETED = "workflows.argoproj.io/completed"
NOW = datetime(2026, 11, 21, 0, 40, 46, tzinfo=UTC)
SUCCEEDED_WORDS = "To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector"


def recorded(prefix: str, line: int) -> dict[str, Any]:
    text = (scenario(prefix) / "workflow-events.jsonl").read_text().splitlines()[line - 1]
    return json.loads(text)["object"]


def workflow(text: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "ci"},
        "spec": {"entrypoint": "main", "templates": yaml.safe_load(text), **spec},
    }


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


async def again(stack: Stack, name: str) -> dict[str, Any]:
    """Retry, and wait for the end of the second attempt."""
    version = int(retry(stack.objects, "ci", name, NOW)["metadata"]["resourceVersion"])
    return await stack.until(
        name,
        lambda found: (
            int(found["metadata"]["resourceVersion"]) > version and "finishedAt" in found.get("status", {})
        ),
    )


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


FLAKY = """
- name: flaky
  inputs: {parameters: [{name: mark, value: mark}]}
  container:
    image: any
    command: [sh, -c, "test -e /data/{{inputs.parameters.mark}} || { touch /data/{{inputs.parameters.mark}}; exit 1; }"]
    volumeMounts: [{name: data, mountPath: /data}]
- name: twice
  retryStrategy: {limit: 1}
  container:
    image: any
    command: [sh, -c, "echo x >> /data/tries; test $(wc -l < /data/tries) -ge 3"]
    volumeMounts: [{name: data, mountPath: /data}]
- name: hello
  container: {image: any, command: [echo, hello]}
- name: use
  inputs: {parameters: [{name: text}]}
  container: {image: any, command: [echo, "{{inputs.parameters.text}}"]}
"""
# (templates of the entrypoint, pods of the second attempt, the phase at its end)
SHAPES = {
    "steps, with what the step before gave": (
        """
- name: main
  steps:
  - - {name: first, template: hello}
  - - {name: second, template: flaky}
  - - {name: third, template: use, arguments: {parameters: [{name: text, value: "{{steps.first.outputs.result}}"}]}}
""",
        ["second", "third"],
    ),
    "one of two side by side": (
        """
- name: main
  steps:
  - - {name: good, template: hello}
    - {name: bad, template: flaky}
""",
        ["bad"],
    ),
    "a step of a step": (
        """
- name: main
  dag:
    tasks:
    - {name: outer, template: inner}
    - {name: after, template: hello, depends: outer}
- name: inner
  steps:
  - - {name: a, template: hello}
  - - {name: b, template: flaky}
""",
        ["b", "after"],
    ),
    "an item of a loop": (
        """
- name: main
  dag:
    tasks:
    - {name: each, template: flaky, withItems: [mark], arguments: {parameters: [{name: mark, value: "{{item}}"}]}}
    - {name: after, template: hello, depends: each}
""",
        ["each(0:mark)", "after"],
    ),
    "a step that was tried twice": (
        """
- name: main
  steps:
  - - {name: tried, template: twice}
  - - {name: after, template: hello}
""",
        ["tried(0)", "after"],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_only_what_failed_runs_again(isolated: Stack, shape: str) -> None:
    main, ran = SHAPES[shape]
    isolated.objects.create(CLAIMS, "ci", {"metadata": {"name": "data"}, "spec": {}})
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    name = isolated.submit(workflow(main + FLAKY, volumes=volumes, onExit="hello"))
    failed = await isolated.finished(name)
    assert failed["status"]["phase"] == "Failed"
    start = isolated.objects.version
    done = await again(isolated, name)
    assert done["status"]["phase"] == "Succeeded", done["status"]
    assert {node["phase"] for node in done["status"]["nodes"].values()} == {"Succeeded"}
    added = [c.object for c in isolated.objects.cursor(PODS, "ci", start).take() if c.type == "ADDED"]
    ids = [pod["metadata"]["annotations"]["workflows.argoproj.io/node-id"] for pod in added]
    assert [done["status"]["nodes"][one]["displayName"] for one in ids] == [*ran, "ci.onExit"]


async def test_outputs_of_what_succeeded_are_kept(isolated: Stack) -> None:
    main, _ = SHAPES["steps, with what the step before gave"]
    isolated.objects.create(CLAIMS, "ci", {"metadata": {"name": "data"}, "spec": {}})
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    name = isolated.submit(workflow(main + FLAKY, volumes=volumes))
    await isolated.finished(name)
    await again(isolated, name)
    assert isolated.log(name, "third") == "hello\n"


async def test_only_the_exit_handler_failed(isolated: Stack) -> None:
    main = "[{name: main, steps: [[{name: good, template: hello}]]}]"
    templates = [*yaml.safe_load(main), *yaml.safe_load(FLAKY)]
    isolated.objects.create(CLAIMS, "ci", {"metadata": {"name": "data"}, "spec": {}})
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"entrypoint": "main", "templates": templates, "volumes": volumes, "onExit": "flaky"}
    name = isolated.submit({"metadata": {"name": "ci"}, "spec": spec})
    assert (await isolated.finished(name))["status"]["phase"] == "Failed"
    good = isolated.pod(name, "good")["metadata"]["uid"]
    assert (await again(isolated, name))["status"]["phase"] == "Succeeded"
    assert isolated.pod(name, "good")["metadata"]["uid"] == good


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


async def test_a_succeeded_attempt_or_a_failure_that_was_allowed_stays(isolated: Stack) -> None:
    main = """
- name: main
  steps:
  - - {name: allowed, template: fail, continueOn: {failed: true}}
  - - {name: good, template: hello}
  - - {name: bad, template: fail}
- name: fail
  container: {image: any, command: ["false"]}
- name: hello
  container: {image: any, command: [echo, hello]}
"""
    name = isolated.submit(workflow(main))
    failed = await isolated.finished(name)
    retried = formulate(failed, NOW).workflow["status"]["nodes"]
    phases = {node["displayName"]: node["phase"] for node in retried.values()}
    assert phases == {
        "ci": "Running",
        "[0]": "Succeeded",
        "allowed": "Failed",
        "[1]": "Succeeded",
        "good": "Succeeded",
        "[2]": "Running",
    }


async def test_a_workflow_finds_its_own_claims_again(isolated: Stack) -> None:
    own = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    main = "[{name: main, steps: [[{name: bad, template: flaky}]]}]"
    templates = [*yaml.safe_load(main), *yaml.safe_load(FLAKY)]
    spec = {"entrypoint": "main", "templates": templates, "volumeClaimTemplates": [own]}
    name = isolated.submit({"metadata": {"name": "ci"}, "spec": spec})
    assert (await isolated.finished(name))["status"]["phase"] == "Failed"
    (claim,) = isolated.objects.list(CLAIMS, "ci")
    retried = formulate(isolated.get(name), NOW).workflow
    assert "persistentVolumeClaims" not in retried["status"]
    assert (await again(isolated, name))["status"]["phase"] == "Succeeded", claim["metadata"]["name"]
    assert isolated.objects.list(CLAIMS, "ci") == [], "a workflow that succeeded deletes them"


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
