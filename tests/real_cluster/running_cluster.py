"""A real cluster for the tests: the control plane of `make cluster-tools`, or the one KUBECI_TEST_KUBECONFIG names."""

from __future__ import annotations

import os
import signal
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
        given = RealCluster(folder, Path(kubeconfig).expanduser(), None)
        _need_a_cluster(given)
        yield given
        return
    tools = tools_folder()
    if missing := missing_tools(tools):
        pytest.exit(
            f"cluster-test: {', '.join(missing)} missing in {tools}: run `make cluster-tools` (needs Go, takes a while), "
            "or name a cluster with KUBECI_TEST_KUBECONFIG=~/.kube/config",
            returncode=2,
        )
    with _ended_by_signals(), control_plane(folder, tools, tools / "crds" / "full") as plane:
        yield RealCluster(folder, plane.kubeconfig, plane)


def _need_a_cluster(cluster: RealCluster) -> None:
    """End the run with one sentence where the cluster that was named cannot be used."""
    why = "" if cluster.kubeconfig.is_file() else "there is no such file"
    try:
        if not why:
            cluster.kubectl("get", "workflows", "--request-timeout=10s")
    except RuntimeError as error:
        why = str(error)
    if why:
        pytest.exit(
            f"cluster-test: KUBECI_TEST_KUBECONFIG={cluster.kubeconfig} names no cluster with Argo and the namespace "
            f"{cluster.namespace} (KUBECI_TEST_NAMESPACE): {why}",
            returncode=2,
        )


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let what ends this process end the programs too, which are in sessions of their own."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
