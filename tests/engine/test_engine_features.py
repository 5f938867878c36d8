"""What the steps of a workflow give one another, and what each finds around it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import yaml
from engine_stack import Stack

from kubeci.local.cluster.resources import CLAIMS


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
