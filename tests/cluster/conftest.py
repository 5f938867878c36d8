from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cluster_kit import Requests

from kubeci.cluster.client import Client
from kubeci.cluster.connect import connect
from kubeci.local.cluster.cluster import LocalCluster


@pytest.fixture
async def cluster() -> AsyncIterator[LocalCluster]:
    cluster = LocalCluster()
    async with cluster.serving():
        yield cluster


@pytest.fixture
def requests() -> Requests:
    return []


@pytest.fixture
async def client(cluster: LocalCluster, tmp_path: Path, requests: Requests) -> AsyncIterator[Client]:
    def heard(method: str, route: str, status: int, seconds: float) -> None:
        assert 0 <= seconds < 60
        requests.append((method, route, status))

    kubeconfig = tmp_path / "kubeconfig"
    cluster.write_kubeconfig(kubeconfig)
    async with connect(kubeconfig=str(kubeconfig), trust_env=False, on_request=heard) as client:
        yield client
