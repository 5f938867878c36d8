"""Claims that steps mount: what they keep, who holds them, and who waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_stack import Stack

from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOWS
from kubeci.local.cluster.status import ApiError
from kubeci.local.engine.engine import Engine
from kubeci.local.engine.runner import Limits

CLAIM = {
    "metadata": {"name": "cache"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}
WAITING = 'Unschedulable: 0/1 nodes are available: persistentvolumeclaim "cache" {}. not found'


def using(name: str, command: str, claim: str = "cache") -> dict[str, Any]:
    mount = {"name": "cache", "mountPath": "/cache"}
    container = {"image": "any", "command": ["sh", "-c", command], "volumeMounts": [mount]}
    spec = {
        "entrypoint": "main",
        "templates": [{"name": "main", "container": container}],
        "volumes": [
            {"name": "cache", "persistentVolumeClaim": {"claimName": claim}},
            {"name": "other", "persistentVolumeClaim": {"claimName": "not-mounted"}},
        ],
    }
    return {"metadata": {"name": name}, "spec": spec}


async def said(stack: Stack, name: str, message: str) -> None:
    await stack.until(
        name,
        lambda found: found.get("status", {}).get("nodes", {}).get(name, {}).get("message") == message,
    )


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def there(stack: Stack, name: str = "cache") -> bool:
    try:
        stack.objects.get(CLAIMS, "ci", name)
    except ApiError:
        return False
    return True


async def test_a_second_workflow_finds_what_the_first_left(stack: Stack) -> None:
    stack.objects.create(CLAIMS, "ci", CLAIM)
    assert stack.objects.get(CLAIMS, "ci", "cache")["status"] == {"phase": "Pending"}
    await stack.finished(stack.submit(using("first", "echo kept > /cache/file")))
    bound = stack.objects.get(CLAIMS, "ci", "cache")
    assert bound["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    stack.objects.delete(WORKFLOWS, "ci", "first")
    await stack.finished(stack.submit(using("second", "cat /cache/file")))
    assert stack.log("second", "second") == "kept\n"
    assert stack.pod("second", "second")["spec"]["volumes"] == [
        {"name": "cache", "persistentVolumeClaim": {"claimName": "cache"}}
    ]


async def test_a_claim_that_is_being_deleted(isolated: Stack) -> None:
    isolated.objects.create(CLAIMS, "ci", CLAIM)
    await isolated.finished(isolated.submit(using("first", "echo old > /cache/file")))
    isolated.objects.delete(CLAIMS, "ci", "cache")
    assert "deletionTimestamp" in isolated.objects.get(CLAIMS, "ci", "cache")["metadata"]

    isolated.submit(using("second", "ls /cache"))
    await said(isolated, "second", WAITING.format("is being deleted"))
    assert "nodeName" not in isolated.pod("second", "second")["spec"]

    isolated.objects.delete(PODS, "ci", "first")
    assert not there(isolated), "the pod that waits does not hold it"
    await eventually(lambda: not list(isolated.folder.glob("claims/ci/*")))
    await said(isolated, "second", WAITING.format("not found"))

    isolated.objects.create(CLAIMS, "ci", CLAIM)
    assert (await isolated.finished("second"))["status"]["phase"] == "Succeeded"
    assert isolated.log("second", "second") == "", "the new claim is empty"


async def test_a_deleted_pod_ends_its_process_and_lets_its_claim_go(stack: Stack) -> None:
    stack.objects.create(CLAIMS, "ci", CLAIM)
    name = stack.submit(
        using("first", "trap 'echo ended; exit 1' TERM; echo begun; while :; do sleep 0.05; done")
    )
    await stack.running(name, name)
    stack.objects.delete(CLAIMS, "ci", "cache")
    assert there(stack)
    log = stack.objects.logs["ci", name, "main"]
    stack.objects.delete(PODS, "ci", name)
    done = await stack.finished(name)
    assert (done["status"]["phase"], done["status"]["message"]) == ("Error", "pod deleted")
    assert b"ended\n" in b"".join(piece.data for piece in log.pieces()[0])
    assert not there(stack)


async def test_a_claim_that_goes_while_its_pod_waits_for_room(tmp_path: Path) -> None:
    objects = Objects()
    limits = Limits(pods_at_once=1, grace_seconds=0.5)
    async with Engine(objects, folder=tmp_path, isolation="process", limits=limits) as engine:
        stack = Stack(objects, engine, tmp_path)
        template = {
            "name": "main",
            "container": {"image": "any", "command": ["sh", "-c", "echo on; sleep 600"]},
        }
        stack.submit({"metadata": {"name": "long"}, "spec": {"entrypoint": "main", "templates": [template]}})
        await stack.running("long", "long")
        objects.create(CLAIMS, "ci", CLAIM)
        stack.submit(using("waits", "true"))
        await stack.until("waits", lambda found: "waits" in found.get("status", {}).get("nodes", {}))
        objects.delete(CLAIMS, "ci", "cache")
        assert not there(stack)
        objects.merge_patch(WORKFLOWS, "ci", "long", {"spec": {"shutdown": "Terminate"}})
        await said(stack, "waits", WAITING.format("not found"))
        objects.create(CLAIMS, "ci", CLAIM)
        assert (await stack.finished("waits"))["status"]["phase"] == "Succeeded"


@pytest.mark.parametrize("handler", ["sh -c 'echo on; sleep 600'", "true"])
async def test_stop_may_become_terminate(isolated: Stack, handler: str) -> None:
    def template(name: str, command: str) -> dict[str, Any]:
        return {"name": name, "container": {"image": "any", "command": ["sh", "-c", command]}}

    templates = [template("main", "echo on; sleep 600"), template("bye", handler)]
    name = isolated.submit(
        {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": templates, "onExit": "bye"}}
    )
    await isolated.running(name, name)
    isolated.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": "Stop"}})
    if handler == "true":
        done = await isolated.finished(name)
        assert isolated.node(name, "ci.onExit")["phase"] == "Succeeded"
    else:
        await isolated.running(name, "ci.onExit")
        isolated.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": "Terminate"}})
        done = await isolated.finished(name)
        assert isolated.node(name, "ci.onExit")["phase"] == "Failed"
    strategy = isolated.get(name)["spec"]["shutdown"]
    assert (done["status"]["phase"], done["status"]["message"]) == (
        "Failed",
        f"Stopped with strategy '{strategy}'",
    )
    before = isolated.get(name)["status"]
    isolated.objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": "Terminate"}})
    assert isolated.get(name)["status"] == before, "shutdown of a finished workflow changes nothing"
