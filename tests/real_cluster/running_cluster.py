"""A real cluster for the tests: the control plane of `make cluster-tools`, or the one KUBECI_TEST_KUBECONFIG names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from control_plane import control_plane
from given_cluster import RealCluster, missing_tools, tools_folder


@contextmanager
def running_cluster(folder: Path) -> Iterator[RealCluster]:
    """Give the cluster until the block ends; ends the run with what is missing where there is none."""
    if kubeconfig := os.environ.get("KUBECI_TEST_KUBECONFIG"):
        yield RealCluster(folder, Path(kubeconfig).expanduser(), None)
        return
    tools = tools_folder()
    if missing := missing_tools(tools):
        pytest.exit(
            f"cluster-test: {', '.join(missing)} missing in {tools}: run `make cluster-tools` (needs Go, takes a while), "
            "or name a cluster with KUBECI_TEST_KUBECONFIG=~/.kube/config",
            returncode=2,
        )
    with control_plane(folder, tools, tools / "crds" / "full") as plane:
        yield RealCluster(folder, plane.kubeconfig, plane)
