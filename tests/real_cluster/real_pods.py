"""The node whose pods really run, for the tests that need Argo's executor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from given_cluster import RealCluster

from kubeci.model.json import JsonObject

RBAC = Path(__file__).parents[2] / "rbac"
NODE_SELECTOR = {"kubeci.test/pods": "processes"}
TOLERATIONS: tuple[JsonObject, ...] = ({"key": "kubeci.test/pods", "operator": "Exists"},)


@contextmanager
def pods_that_run(cluster: RealCluster) -> Iterator[None]:
    """Run the node until the block ends; skips where it cannot be had."""
    if cluster.plane is None:
        pytest.skip("a node of processes is there only on the cluster of `make cluster-tools`")
    if os.geteuid() != 0:
        pytest.skip("pods as processes need root, for mounts of their own")
    cluster.kubectl("apply", "--filename", str(RBAC / "workflow-pods.yaml"))
    cluster.plane.start("kubelet")
    try:
        yield
    finally:
        cluster.plane.stop("kubelet")
