"""What KWOK cannot show, on a node whose pods run: Argo's own executor, exit codes, logs, outputs, the pods' rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from given_cluster import RealCluster
from kubectl import Kubectl
from real_pods import NODE_SELECTOR, RBAC, TOLERATIONS, pods_that_run

pytestmark = pytest.mark.cluster

HERE = {"nodeSelector": NODE_SELECTOR, "tolerations": list(TOLERATIONS)}


@pytest.fixture(scope="module")
def kubectl(real_cluster: RealCluster) -> Iterator[Kubectl]:
    with pods_that_run(real_cluster):
        yield real_cluster.kubectl


def run(kubectl: Kubectl, name: str, **spec: Any) -> dict[str, Any]:
    manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {**HERE, **spec},
    }
    kubectl.create(yaml.safe_dump(manifest))
    kubectl(
        "wait",
        "--for=jsonpath={.metadata.labels.workflows\\.argoproj\\.io/completed}=true",
        f"workflow/{name}",
        "--timeout=60s",
    )
    found: dict[str, Any] = json.loads(kubectl("get", f"workflow/{name}", "--output=json"))
    return found["status"]


def container(script: str, **more: Any) -> dict[str, Any]:
    return {"container": {"image": "any", "command": ["sh", "-c", script], **more}}


def test_exit_code_and_log_are_those_of_the_command(kubectl: Kubectl) -> None:
    script = {"image": "any", "command": ["sh"], "source": "echo to stdout; echo to stderr >&2; exit 3"}
    status = run(kubectl, "exits", entrypoint="main", templates=[{"name": "main", "script": script}])
    assert status["phase"] == "Failed"
    assert status["nodes"]["exits"]["message"] == "main: Error (exit code 3)"
    assert {"to stdout", "to stderr"} <= set(kubectl("logs", "exits", "--container=main").splitlines())


def test_outputs_go_from_step_to_step_and_decide(kubectl: Kubectl) -> None:
    says = {"script": {"image": "any", "command": ["sh"], "source": "echo from the script"}}
    writes = container("echo written > /tmp/out")
    writes["outputs"] = {"parameters": [{"name": "out", "valueFrom": {"path": "/tmp/out"}}]}
    reads = container('test "$0 $1" = "from the script written"')
    reads["container"]["command"] += ["{{inputs.parameters.said}}", "{{inputs.parameters.out}}"]
    reads["inputs"] = {"parameters": [{"name": "said"}, {"name": "out"}]}
    given = [
        {"name": "said", "value": "{{steps.says.outputs.result}}"},
        {"name": "out", "value": "{{steps.writes.outputs.parameters.out}}"},
    ]
    steps = [
        [{"name": "says", "template": "says"}, {"name": "writes", "template": "writes"}],
        [
            {"name": "reads", "template": "reads", "arguments": {"parameters": given}},
            {"name": "never", "template": "says", "when": "'{{steps.says.outputs.result}}' == 'other'"},
        ],
    ]
    templates = [
        {"name": "ci", "steps": steps},
        {"name": "says", **says},
        {"name": "writes", **writes},
        {"name": "reads", **reads},
    ]
    status = run(kubectl, "outputs", entrypoint="ci", templates=templates)
    phases = {
        node["displayName"]: node["phase"]
        for node in status["nodes"].values()
        if node["type"] in {"Pod", "Skipped"}
    }
    assert phases == {"says": "Succeeded", "writes": "Succeeded", "reads": "Succeeded", "never": "Skipped"}


def test_a_claim_keeps_what_one_workflow_wrote_for_the_next(kubectl: Kubectl) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    kubectl.create(
        yaml.safe_dump(
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "kept"}, "spec": claim}
        )
    )
    volumes = [{"name": "cache", "persistentVolumeClaim": {"claimName": "kept"}}]
    mounts = [{"name": "cache", "mountPath": "/cache"}]
    for name, script in (("writes", "echo it > /cache/file"), ("reads", "grep -qx it /cache/file")):
        template = {"name": "main", **container(script, volumeMounts=mounts)}
        status = run(kubectl, name, entrypoint="main", volumes=volumes, templates=[template])
        assert status["phase"] == "Succeeded", status


def test_the_pods_of_workflows_use_the_rights_they_are_given_and_no_others(
    kubectl: Kubectl, real_cluster: RealCluster
) -> None:
    """Over what the other tests of this file played, since the audit log holds all of it."""
    assert real_cluster.plane is not None
    run(kubectl, "audited", entrypoint="main", templates=[{"name": "main", **container("true")}])
    requests = [json.loads(line) for line in real_cluster.plane.audit_log.read_text().splitlines()]
    mine = [each for each in requests if each["user"]["username"] == "system:serviceaccount:argo:default"]
    used = {
        (each["objectRef"].get("apiGroup", ""), each["objectRef"]["resource"], each["verb"]) for each in mine
    }
    role = next(yaml.safe_load_all((RBAC / "workflow-pods.yaml").read_text()))
    [rule] = role["rules"]
    assert used == {(rule["apiGroups"][0], rule["resources"][0], verb) for verb in rule["verbs"]}
    # 409: the result of a task is there already, and is patched then.
    assert {each["responseStatus"]["code"] for each in mine} <= {200, 201, 409}
