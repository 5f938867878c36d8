from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from engine_stack import Stack

from kubeci.local.cluster.resources import CLAIMS, PODS, WORKFLOWS


def workflow(text: str, **spec: Any) -> dict[str, Any]:
    loaded = yaml.safe_load(text)
    return {"metadata": {"generateName": "ci-"}, "spec": {"entrypoint": "main", "templates": loaded, **spec}}


async def test_outputs_of_a_step_reach_the_next(stack: Stack) -> None:
    name = stack.submit(
        workflow("""
- name: main
  outputs: {parameters: [{name: all, valueFrom: {parameter: "{{steps.use.outputs.result}}"}}]}
  steps:
  - - {name: make, template: make}
    - {name: loop, template: say, arguments: {parameters: [{name: text, value: "{{item.a}}"}]}, withItems: [{a: 1}, {a: x}]}
  - - name: use
      template: say
      arguments: {parameters: [{name: text, value: "{{steps.make.outputs.parameters.file}}/{{steps.make.exitCode}}/{{steps.loop.outputs.result}}"}]}
- name: make
  outputs: {parameters: [{name: file, valueFrom: {path: /made/here/file}, globalName: made}, {name: other, valueFrom: {path: /none, default: d}}]}
  script: {image: any, command: [sh], source: "printf made > /made/here/file"}
- name: say
  inputs: {parameters: [{name: text}]}
  container: {image: any, command: [echo], args: ["{{inputs.parameters.text}}"]}
""")
    )
    done = await stack.finished(name)
    assert done["status"]["phase"] == "Succeeded", done["status"]
    assert stack.log(name, "use") == 'made/0/[1,"x"]\n'
    assert stack.node(name, name)["outputs"]["parameters"][0]["value"].startswith("made/")
    assert stack.node(name, "make")["outputs"]["parameters"][1]["value"] == "d"
    assert done["status"]["outputs"]["parameters"] == [{"name": "made", "value": "made"}]


async def test_a_dag_follows_its_depends(stack: Stack) -> None:
    name = stack.submit(
        workflow(
            """
- name: main
  dag:
    failFast: false
    tasks:
    - {name: lint, template: fail}
    - {name: test, template: ok, arguments: {parameters: [{name: n, value: "{{item}}"}]}, withItems: [1, 2]}
    - {name: report, template: ok, depends: "lint.Failed && test.AnySucceeded", arguments: {parameters: [{name: n, value: "{{tasks.lint.status}}"}]}}
    - {name: deploy, template: ok, depends: "lint && test", arguments: {parameters: [{name: n, value: x}]}}
    - {name: never, template: ok, depends: "test", when: "{{workflow.parameters.branch}} == main", arguments: {parameters: [{name: n, value: x}]}}
- name: fail
  container: {image: any, command: ["false"]}
- name: ok
  inputs: {parameters: [{name: n}]}
  container: {image: any, command: [echo, "{{inputs.parameters.n}}"]}
""",
            arguments={"parameters": [{"name": "branch", "value": "topic"}]},
        )
    )
    done = await stack.finished(name)
    phases = {node["displayName"]: node["phase"] for node in done["status"]["nodes"].values()}
    assert phases == {
        name: "Failed",
        "lint": "Failed",
        "test": "Succeeded",
        "test(0:1)": "Succeeded",
        "test(1:2)": "Succeeded",
        "report": "Succeeded",
        "deploy": "Omitted",
        "never": "Skipped",
    }
    assert stack.log(name, "report") == "Failed\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.com", "-C", str(folder)]
    folder.mkdir()
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    for number in range(3):
        (folder / "file").write_text(f"{number}\n")
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", str(number)], check=True)
    subprocess.run([*git, "branch", "topic", "HEAD~1"], check=True)
    return folder


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, "2"),
        ({"revision": "topic"}, "1"),
        ({"revision": "HEAD~2"}, "0"),
        ({"branch": "topic", "singleBranch": True, "depth": 1}, "1"),
        ({"revision": "topic", "depth": 1}, "1"),
    ],
)
async def test_the_git_artifact_is_a_clone(
    stack: Stack, repository: Path, source: dict[str, Any], expected: str
) -> None:
    template = {
        "name": "main",
        "inputs": {
            "artifacts": [
                {"name": "source", "path": "/src", "git": {"repo": f"file://{repository}", **source}}
            ]
        },
        "container": {"image": "any", "command": ["cat", "file"], "workingDir": "/src"},
    }
    name = stack.submit(
        {"metadata": {"name": "ci-1"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    assert (await stack.finished(name))["status"]["phase"] == "Succeeded"
    assert stack.log(name, name) == f"{expected}\n"


@pytest.mark.parametrize(
    ("git", "why"),
    [
        ({"repo": "file:///nowhere"}, "nowhere"),
        ({"repo": "ext::sh -c 'touch /tmp/x'"}, "clones by http, https, file"),
        ({"repo": "file:///nowhere", "revision": "--upload-pack=x"}, "begins with a dash"),
    ],
)
async def test_a_clone_that_fails_ends_the_pod_in_init(stack: Stack, git: dict[str, Any], why: str) -> None:
    template = {
        "name": "main",
        "inputs": {"artifacts": [{"name": "source", "path": "/src", "git": git}]},
        "container": {"image": "any", "command": ["true"]},
    }
    name = stack.submit(
        {"metadata": {"name": "ci-1"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    status = (await stack.finished(name))["status"]
    assert status["phase"] == "Error"
    assert status["message"].startswith("init: Error (exit code 64): failed to load artifact 'source': ")
    assert why in status["message"]


async def test_volumes_are_shared_as_they_should_be(stack: Stack) -> None:
    name = stack.submit(
        workflow(
            """
- name: main
  steps:
  - - {name: write, template: write}
  - - {name: read, template: read}
- name: write
  volumes: [{name: scratch, emptyDir: {}}]
  container:
    image: any
    command: [sh, -c, "echo kept > /data/file; echo lost > /scratch/file; echo sub > /sub/file"]
    volumeMounts:
    - {name: work, mountPath: /data}
    - {name: work, mountPath: /sub, subPath: inner}
    - {name: scratch, mountPath: /scratch}
- name: read
  volumes: [{name: scratch, emptyDir: {}}]
  container:
    image: any
    command: [sh, -c, "cat /data/file /data/inner/file; ls /scratch"]
    volumeMounts: [{name: work, mountPath: /data}, {name: scratch, mountPath: /scratch}]
""",
            volumeClaimTemplates=[
                {
                    "metadata": {"name": "work"},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
                }
            ],
        )
    )
    done = await stack.finished(name)
    assert done["status"]["phase"] == "Succeeded"
    assert stack.log(name, "read") == "kept\nsub\n"
    assert stack.objects.list(CLAIMS, "ci") == []
    async with asyncio.timeout(10):
        while list(stack.folder.glob("claims/ci/*")):
            await asyncio.sleep(0.01)


async def test_a_step_has_a_clean_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECI_WEBHOOK_SECRET", "very-secret")
    template = {
        "name": "main",
        "container": {
            "image": "any",
            "command": ["env"],
            "env": [{"name": "GIVEN", "value": "{{workflow.name}}"}],
        },
    }
    name = stack.submit(
        {"metadata": {"name": "ci-1"}, "spec": {"entrypoint": "main", "templates": [template]}}
    )
    await stack.finished(name)
    variables = dict(line.split("=", 1) for line in stack.log(name, name).splitlines())
    assert set(variables) - {"TMPDIR"} == {"PATH", "HOME", "LANG", "GIVEN"}
    assert variables["GIVEN"] == "ci-1"


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
