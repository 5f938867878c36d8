from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from engine_stack import PATIENCE_SECONDS, Stack

from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import PODS, WORKFLOWS
from kubeci.local.engine.engine import Engine
from kubeci.local.engine.host import view
from kubeci.local.engine.isolation import probe, rewrite
from kubeci.local.engine.operation import CallError
from kubeci.local.engine.place import Mount, Place
from kubeci.local.engine.runner import Limits

# A number that no other process on this machine sleeps for.
MARK = f"9{os.getpid()}"
STUBBORN = f"trap '' TERM; (setsid sleep {MARK} &) ; sleep {MARK} & echo begun; wait; sleep {MARK}"


def sleepers() -> list[str]:
    """Give the processes of this machine that carry the mark."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if line.startswith(b"sleep\0") and MARK.encode() in line:
                found.append(process.name)
    return found


def there(folder: Path) -> list[str]:
    return sorted(entry.name for entry in (folder / "pods").iterdir())


def exists(path: str) -> bool:
    return Path(path).exists()


def single(command: list[str], **container: Any) -> dict[str, Any]:
    template = {"name": "main", "container": {"image": "any", "command": command, **container}}
    return {"metadata": {"name": "ci"}, "spec": {"entrypoint": "main", "templates": [template]}}


async def test_a_step_cannot_write_outside_of_its_pod(isolated: Stack, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    attempts = f"""
        echo changed > {outside}
        touch /usr/kubeci-was-here /etc/kubeci-was-here
        mount -o remount,rw,bind /usr && touch /usr/kubeci-was-here
        unshare -Urm sh -c 'mount -o remount,rw,bind /etc && touch /etc/kubeci-was-here'
        ls {tmp_path}
        touch /tmp/mine /src && ls /tmp
    """
    name = isolated.submit(single(["sh", "-c", attempts]))
    await isolated.finished(name)
    assert outside.read_text() == "mine"
    assert not [folder for folder in ("/usr", "/etc") if exists(f"{folder}/kubeci-was-here")]
    assert isolated.log(name, name).splitlines()[-1] == "mine"
    assert not exists("/tmp/mine")


async def test_a_step_sees_no_process_of_the_machine(isolated: Stack) -> None:
    name = isolated.submit(single(["sh", "-c", "ls -d /proc/[0-9]*; ls /home"]))
    await isolated.finished(name)
    *processes, home = isolated.log(name, name).splitlines()
    assert len(processes) <= 4, processes
    assert f"/proc/{os.getpid()}" not in processes
    assert "No such file" in home


async def test_a_read_only_mount_is_read_only(isolated: Stack) -> None:
    workflow = single(
        ["touch", "/data/x"], volumeMounts=[{"name": "data", "mountPath": "/data", "readOnly": True}]
    )
    workflow["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    name = isolated.submit(workflow)
    assert (await isolated.finished(name))["status"]["phase"] == "Failed"


async def test_a_mount_may_stand_within_the_hosts_folders(isolated: Stack) -> None:
    mounts = [{"name": "data", "mountPath": "/usr/src/kubeci-app"}]
    workflow = single(["sh", "-c", "touch /usr/src/kubeci-app/x && ls /usr/bin/env"], volumeMounts=mounts)
    workflow["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    name = isolated.submit(workflow)
    assert (await isolated.finished(name))["status"]["phase"] == "Succeeded", isolated.log(name, name)
    assert not exists("/usr/src/kubeci-app")


@pytest.mark.parametrize("kind", ["namespace", "process"])
@pytest.mark.parametrize("how", ["leave", "terminate", "delete the workflow", "delete the pod"])
async def test_no_process_and_no_folder_is_left(tmp_path: Path, kind: str, how: str) -> None:
    if kind == "namespace" and await probe() != "namespace":
        pytest.skip("this machine does not allow namespaces")
    command = STUBBORN if kind == "namespace" else STUBBORN.replace("setsid ", "")
    objects = Objects()
    folder = tmp_path / "engine"
    async with Engine(objects, folder=folder, isolation=kind, limits=Limits(grace_seconds=0.2)) as engine:
        stack = Stack(objects, engine, folder)
        name = stack.submit(single(["sh", "-c", command]))
        await stack.running(name, name)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(sleepers()) < 2:
                await asyncio.sleep(0.01)
        if how == "terminate":
            objects.merge_patch(WORKFLOWS, "ci", name, {"spec": {"shutdown": "Terminate"}})
        elif how == "delete the workflow":
            objects.delete(WORKFLOWS, "ci", name)
        elif how == "delete the pod":
            objects.delete(PODS, "ci", name)
        if how != "leave":
            async with asyncio.timeout(PATIENCE_SECONDS):
                while sleepers() or there(folder):
                    await asyncio.sleep(0.01)
        if how == "delete the pod":
            assert (await stack.finished(name))["status"]["message"] == "pod deleted"
    assert sleepers() == []
    assert there(folder) == []


async def test_the_log_is_bounded(tmp_path: Path) -> None:
    objects = Objects()
    async with Engine(objects, folder=tmp_path, limits=Limits(log_bytes=10_000)) as engine:
        stack = Stack(objects, engine, tmp_path)
        name = stack.submit(single(["sh", "-c", "seq 100000"]))
        await stack.finished(name)
        log = stack.log(name, name)
    assert len(log) <= 10_000
    assert log.endswith("\n100000\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat /src/file", "cat /real/src/file"),
        ("/src", "/real/src"),
        ("--out=/src:/src/x", "--out=/real/src:/real/src/x"),
        ("/srcs /a/src x/src /src-2 /src.d", "/srcs /a/src x/src /src-2 /src.d"),
        ("/src/deep/file", "/elsewhere/file"),
    ],
)
def test_paths_are_rewritten_where_they_stand_alone(text: str, expected: str) -> None:
    assert rewrite(text, {"/src": "/real/src", "/src/deep": "/elsewhere", "/": "/never"}) == expected


def test_a_path_is_found_in_the_mount_that_holds_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    place = Place(tmp_path, (Mount(data, "/data"), Mount(tmp_path / "deep", "/data/deep")))
    assert place.locate("/data/x") == data / "x"
    assert place.locate("/data/deep/x") == tmp_path / "deep" / "x"
    assert place.locate("/database") == tmp_path / "root" / "database"


@pytest.mark.parametrize("path", ["/../x", "relative", "/data/../../x", "/data/out/x"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "out").symlink_to("/etc")
    place = Place(tmp_path, (Mount(data, "/data"),))
    with pytest.raises(CallError):
        place.locate(path)
    assert place.read(path, 10) is None


def test_a_link_is_not_read_as_an_output(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "root" / "pipe")
    (tmp_path / "root" / "file").write_text("0123456789")
    place = Place(tmp_path)
    assert [place.read(path, 4) for path in ("/out", "/pipe", "/none", "/file")] == [None, None, None, "0123"]


def test_a_folder_is_opened_only_where_the_pod_needs_it() -> None:
    assert "/usr" in view(["/src"], ["/usr/bin"]).binds
    for opened in (view(["/usr/kubeci"]), view([], ["/usr/kubeci"])):
        assert "/usr" not in opened.binds
        assert "/usr/bin" in opened.binds
    taken = view(["/usr/share"])
    assert "/usr/share" not in taken.binds
    assert "/usr/bin" in taken.binds


async def test_an_artifact_may_stand_where_the_host_has_a_folder(isolated: Stack) -> None:
    artifact = {"name": "a", "path": "/etc/hostname", "raw": {"data": "of the pod"}}
    workflow = single(["cat", "/etc/hostname"])
    workflow["spec"]["templates"][0]["inputs"] = {"artifacts": [artifact]}
    name = isolated.submit(workflow)
    await isolated.finished(name)
    assert isolated.log(name, name) == "of the pod"


async def test_a_pod_that_the_cluster_refuses_is_an_error(isolated: Stack) -> None:
    workflow = single(["true"])
    workflow["spec"]["templates"][0]["metadata"] = {"labels": {"a": "not a label!"}}
    name = isolated.submit(workflow)
    status = (await isolated.finished(name))["status"]
    assert status["phase"] == "Error"
    assert "not a label!" in status["message"]
