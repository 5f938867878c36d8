from __future__ import annotations

from pathlib import Path

import pytest

from kubeci.cluster.connect import connect
from kubeci.cluster.no_proxy import is_direct
from kubeci.cluster.workflows import ArgoWorkflows
from kubeci.errors import NotFound, Unready, UpstreamError
from kubeci.local.cluster.cluster import LocalCluster


@pytest.mark.parametrize(
    ("url", "no_proxy", "direct"),
    [
        ("https://10.96.0.1:443", "10.0.0.0/8", True),
        ("https://10.96.0.1", ".svc, 10.96.0.0/12 ,x", True),
        ("https://10.96.0.1", "10.96.0.7/12", True),
        ("https://[fd00::1]:443", "fd00::/8", True),
        ("https://11.0.0.1", "10.0.0.0/8", False),
        ("https://10.0.0.1", "fd00::/8", False),
        ("https://10.0.0.1", "10.0.0.1", False),
        ("https://10.0.0.1", "10.0.0.0/99,/,", False),
        ("https://kubernetes.default", "10.0.0.0/8", False),
        ("", "10.0.0.0/8", False),
    ],
)
def test_is_direct(url: str, no_proxy: str, direct: object) -> None:
    assert is_direct(url, no_proxy) is direct


async def test_a_cluster_in_a_network_of_no_proxy_is_reached(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "kubeconfig")
    cluster.write_kubeconfig(Path(path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for no_proxy, expected in (("127.0.0.0/8", NotFound), ("10.0.0.0/8", Unready)):
        monkeypatch.setenv("NO_PROXY", no_proxy)
        async with connect(kubeconfig=path) as client:
            with pytest.raises(UpstreamError) as caught:
                await ArgoWorkflows(client).get("ci", "build")
        assert type(caught.value) is expected
