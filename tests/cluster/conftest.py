from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cluster_kit import PLAIN, Requests

from kubeci.cluster.argo_server import ArgoServer
from kubeci.cluster.client import Client
from kubeci.cluster.connect import connect
from kubeci.local.argo_server.server import LocalArgoServer, argo_server
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.objects import Objects


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


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
async def local(objects: Objects) -> AsyncIterator[LocalArgoServer]:
    async with argo_server(objects) as server:
        yield server


@pytest.fixture
async def argo(local: LocalArgoServer) -> AsyncIterator[ArgoServer]:
    argo = ArgoServer(local.url, local.token, trust_env=False, tls=PLAIN)
    yield argo
    await argo.aclose()
