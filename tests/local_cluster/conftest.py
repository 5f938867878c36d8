from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from local_cluster_kit import Api

from kubeci.local.cluster.cluster import LocalCluster


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    cluster = LocalCluster(namespaces=("ci", "other"), bookmark_seconds=0.1)
    async with cluster.serving() as url:
        headers = {"Authorization": f"Bearer {cluster.admin.token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, verify=False, timeout=5) as http:
            yield Api(cluster, http)
