"""Which nodes of a workflow a retry runs again, and which ones stay with what they gave."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from engine_retry_kit import NOW, again
from engine_stack import Stack

from kubeci.local.cluster.resources import CLAIMS, PODS
from kubeci.local.engine.retry import formulate


def workflow(text: str, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "ci"},
        "spec": {"entrypoint": "main", "templates": yaml.safe_load(text), **spec},
    }


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
