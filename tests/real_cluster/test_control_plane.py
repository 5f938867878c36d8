from __future__ import annotations

import json

import pytest
from given_cluster import RealCluster

pytestmark = pytest.mark.cluster

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: first}
spec:
  entrypoint: main
  templates: [{name: main, container: {image: busybox, command: ["true"]}}]
"""


def test_a_workflow_runs_to_its_end(real_cluster: RealCluster) -> None:
    real_cluster.kubectl.create(WORKFLOW)
    real_cluster.kubectl(
        "wait", "--for=jsonpath={.status.phase}=Succeeded", "workflow/first", "--timeout=60s"
    )
    found = json.loads(real_cluster.kubectl("get", "workflow/first", "--output=json"))
    assert found["status"]["nodes"]["first"]["phase"] == "Succeeded"
