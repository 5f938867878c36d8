"""The Secret in a real API server."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from create_app_kit import values

from kubeci.create_app.cluster_secret import ClusterSecret
from kubeci.create_app.destination import SecretFile
from kubeci.create_app.registered import Registered
from kubeci.create_app.secret import SecretName, secret_of
from kubeci.errors import ConfigurationError

if TYPE_CHECKING:
    from given_cluster import RealCluster

pytestmark = pytest.mark.cluster


def app(number: int) -> Registered:
    return Registered(number, "s", "https://github.com/apps/s", f"key {number}\n", f"hush {number}")


async def test_the_secret_is_created_and_changed(real_cluster: RealCluster, tmp_path: Path) -> None:
    where = SecretName(real_cluster.namespace, f"github-{uuid.uuid4().hex[:8]}")
    first = ClusterSecret(where, str(real_cluster.kubeconfig))
    again = ClusterSecret(where, str(real_cluster.kubeconfig), force=True)

    def look() -> dict[str, str]:
        return values(json.loads(real_cluster.kubectl("get", "secret", where.name, "--output=json")))

    await first.check()
    with pytest.raises(RuntimeError, match="not found"):
        look()
    await first.keep(secret_of(where, app(1)))
    assert look() == {"github-key": "key 1\n", "webhook-secret": "hush 1", "app-id": "1"}
    with pytest.raises(ConfigurationError, match="exists"):
        await first.check()
    await again.check()
    assert look()["app-id"] == "1"
    await again.keep(secret_of(where, app(2)))
    assert look()["webhook-secret"] == "hush 2"
    # What the command writes to a file says the same to kubectl.
    file = SecretFile(tmp_path / "secret.yaml")
    await file.keep(secret_of(where, app(3)))
    real_cluster.kubectl(*file.next_command.split()[1:])
    assert look() == {"github-key": "key 3\n", "webhook-secret": "hush 3", "app-id": "3"}
    real_cluster.kubectl("delete", "secret", where.name)


async def test_a_namespace_that_is_not_there(real_cluster: RealCluster) -> None:
    where = SecretName(f"nowhere-{uuid.uuid4().hex[:8]}", "github")
    with pytest.raises(ConfigurationError, match=f'namespaces "{where.namespace}" not found'):
        await ClusterSecret(where, str(real_cluster.kubeconfig)).check()
