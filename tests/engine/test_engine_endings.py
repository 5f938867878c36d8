"""How commands and workflows end, and what comes after their end."""

from __future__ import annotations

import asyncio

import pytest
from engine_stack import Stack

from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOWS


@pytest.mark.parametrize(
    ("command", "phase", "message"),
    [
        (["sh", "-c", "exit 3"], "Failed", "main: Error (exit code 3)"),
        (["sh", "-c", "kill -9 $$"], "Failed", "main: Error (exit code 137)"),
        (
            ["no-such-program"],
            "Failed",
            'main: Error (exit code 64): failed to find name in PATH: exec: "no-such-program": executable file not found in $PATH',
        ),
    ],
)
async def test_how_a_command_fails(isolated: Stack, command: list[str], phase: str, message: str) -> None:
    template = {"name": "main", "container": {"image": "any", "command": command}}
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    status = (await isolated.finished(name))["status"]
    assert (status["phase"], status["message"]) == (phase, message)


async def test_a_refused_field_ends_the_workflow_before_a_step_runs(isolated: Stack) -> None:
    template = {
        "name": "main",
        "container": {"image": "any", "command": ["true"]},
        "sidecars": [{"name": "db"}],
    }
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    status = (await isolated.finished(name))["status"]
    assert status["phase"] == "Error"
    assert (
        status["message"] == "the local engine does not run `templates.main.sidecars`; use a cluster for it"
    )
    assert isolated.objects.list(PODS, "ci") == []


async def test_a_workflow_is_deleted_when_its_time_is_over(isolated: Stack) -> None:
    template = {"name": "main", "container": {"image": "any", "command": ["true"]}}
    spec = {"entrypoint": "main", "templates": [template], "ttlStrategy": {"secondsAfterCompletion": 0}}
    start = isolated.objects.version
    isolated.submit({"metadata": {"name": "ci"}, "spec": spec})
    async with asyncio.timeout(10):
        async for change in isolated.objects.watch(WORKFLOWS, "ci", start):
            if change.type == "DELETED":
                break
    assert change.object["status"]["phase"] == "Succeeded"


async def test_a_suspend_node_ends_after_its_duration(isolated: Stack) -> None:
    templates = [{"name": "main", "suspend": {"duration": "1s"}}]
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": templates}}
    )
    done = await isolated.finished(name)
    assert done["status"]["phase"] == "Succeeded"
    assert isolated.node(name, name)["type"] == "Suspend"


async def test_a_retried_workflow_is_taken_up_again(isolated: Stack) -> None:
    template = {
        "name": "main",
        "container": {
            "image": "any",
            "command": ["test", "-e", "/data/ready"],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        },
    }
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {}}
    isolated.objects.create(CLAIMS, "ci", claim)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"entrypoint": "main", "templates": [template], "volumes": volumes}
    name = isolated.submit({"metadata": {"name": "ci"}, "spec": spec})
    failed = await isolated.finished(name)
    assert failed["status"]["phase"] == "Failed"
    (folder,) = isolated.folder.glob("claims/ci/data-*")
    (folder / "ready").touch()
    isolated.objects.delete(PODS, "ci", name)
    failed = isolated.get(name)
    failed["metadata"]["labels"]["workflows.argoproj.io/completed"] = "false"
    failed["status"] = {"startedAt": failed["status"]["startedAt"], "nodes": {}}
    isolated.objects.replace(WORKFLOWS, "ci", name, failed)
    done = await isolated.until(name, lambda found: found.get("status", {}).get("phase") == "Succeeded")
    assert done["metadata"]["labels"]["workflows.argoproj.io/completed"] == "true"


async def test_ten_steps_take_little_time(isolated: Stack) -> None:
    steps = [[{"name": f"step-{number}", "template": "ok"}] for number in range(10)]
    templates = [
        {"name": "main", "steps": steps},
        {"name": "ok", "container": {"image": "any", "command": ["true"]}},
    ]
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": templates}}
    )
    async with asyncio.timeout(6):
        done = await isolated.finished(name)
    assert done["status"]["progress"] == "10/10"
