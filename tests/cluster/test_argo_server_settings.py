"""The settings with which argo-server is reached: address, token, certificates, proxy."""

from __future__ import annotations

import subprocess
import sys

import pytest
from argo_server_kit import TOKEN, Odd, in_json

from kubeci.cluster.argo_server import ArgoServer
from kubeci.cluster.argo_server_http import trusting
from kubeci.errors import ConfigurationError, UpstreamError
from kubeci.local.serving import serving


async def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Odd(in_json(200, "{}"))
    async with serving(odd) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        argo = ArgoServer("http://argo.example:2746", TOKEN)
        await argo.retry("ci", "ci")
        await argo.aclose()
        assert len(odd.asked) == 1
        argo = ArgoServer("http://127.0.0.1:1", TOKEN, trust_env=False)
        with pytest.raises(UpstreamError):
            await argo.retry("ci", "ci")
        await argo.aclose()
        assert len(odd.asked) == 1


@pytest.mark.parametrize(
    "certificates", ["no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"]
)
def test_certificates_that_are_none(certificates: str) -> None:
    with pytest.raises(ConfigurationError, match="--argo-cafile"):
        trusting(certificates)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("argo:2746", TOKEN),
        ("ftp://argo", TOKEN),
        ("https://", TOKEN),
        ("https://argo/{x}", TOKEN),
        ("https://argo:port", TOKEN),
        ("https://[argo", TOKEN),
        ("https://user:password@argo", TOKEN),
        ("https://argo/\n", TOKEN),
        ("https://argo", ""),
        ("https://argo", "Bearer "),
        ("https://argo", f"{TOKEN}\nX: y"),
        ("https://argo", f"{TOKEN}é"),
    ],
)
def test_settings_that_cannot_work(url: str, token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ArgoServer(url, token)
    assert TOKEN not in str(caught.value)


def test_hera_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, kubeci.cluster.argo_server as a; a.ArgoServer('http://a', 't'); sys.exit('hera' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
