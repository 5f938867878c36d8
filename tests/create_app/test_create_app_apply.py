"""The Secret in a cluster, by the API that the server uses too."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from create_app_kit import WHERE, Person, plan_for, running, values, who_am_i

from kubeci.create_app.cluster_secret import ClusterSecret
from kubeci.errors import ConfigurationError
from kubeci.local.cluster.cluster import LocalCluster
from kubeci.local.cluster.resources import SECRETS
from kubeci.local.cluster.status import ApiError
from kubeci.local.cluster.users import User
from kubeci.local.github.server import LocalGitHub
from kubeci.model.json import JsonObject

OLD: JsonObject = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": WHERE.name, "labels": {"team": "ci"}},
    "type": "Opaque",
    "data": {"github-key": "b2xk", "slack-token": "c2xhY2s="},
}
CREATOR = User("creator", allowed=True, denied=frozenset({("patch", "", "secrets")}))


@pytest.fixture
async def cluster() -> AsyncIterator[LocalCluster]:
    cluster = LocalCluster(namespaces=(WHERE.namespace, "argo"), further_users=(CREATOR,))
    async with cluster.serving():
        yield cluster


@pytest.fixture
def kubeconfig(cluster: LocalCluster, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    cluster.write_kubeconfig(path)
    return path


def kept(cluster: LocalCluster) -> JsonObject:
    return cluster.objects.get(SECRETS, WHERE.namespace, WHERE.name)


def leading_nowhere(kubeconfig: Path, cluster: LocalCluster) -> Path:
    path = kubeconfig.with_name("nobody")
    path.write_text(kubeconfig.read_text().replace(cluster.url, "http://127.0.0.1:9"))
    return path


async def make(github: LocalGitHub, person: Person, secret: ClusterSecret) -> None:
    async with running(plan_for(github.api_url, secret)) as run:
        page = await person.open(run.address)
        assert f"the Secret {WHERE} in the cluster of {secret.kubeconfig}" in page.text
        await person.press()
        last = await person.press()
        made = await run.task
    assert [each.split()[:2] for each in made.commands] == [["kubeci", "serve"]]
    assert "kubectl" not in last.text


async def test_the_secret_is_created(
    github: LocalGitHub, person: Person, cluster: LocalCluster, kubeconfig: Path
) -> None:
    await make(github, person, ClusterSecret(WHERE, str(kubeconfig)))
    secret = values(kept(cluster))
    answer = await who_am_i(github.api_url, secret["app-id"], secret["github-key"], time.time())
    assert answer.json()["slug"] == "kubeci-acme"


async def test_one_that_exists_needs_force_and_keeps_its_other_keys(
    github: LocalGitHub, person: Person, cluster: LocalCluster, kubeconfig: Path
) -> None:
    cluster.objects.create(SECRETS, WHERE.namespace, OLD)
    with pytest.raises(
        ConfigurationError, match=r"the Secret kubeci/kubeci-github exists; name another .* --force"
    ):
        await make(github, person, ClusterSecret(WHERE, str(kubeconfig)))
    assert kept(cluster)["data"] == OLD["data"]
    await make(github, person, ClusterSecret(WHERE, str(kubeconfig), force=True))
    assert kept(cluster)["metadata"]["labels"] == {"team": "ci"}
    secret = values(kept(cluster))
    assert secret.keys() == {"github-key", "webhook-secret", "app-id", "slack-token"}
    assert secret["github-key"].startswith("-----BEGIN")


async def test_what_would_fail_is_found_before_anybody_clicks(
    cluster: LocalCluster, kubeconfig: Path
) -> None:
    powerless = kubeconfig.with_name("powerless")
    cluster.write_kubeconfig(powerless, cluster.powerless)
    creator = kubeconfig.with_name("creator")
    cluster.write_kubeconfig(creator, CREATOR)
    nobody = leading_nowhere(kubeconfig, cluster)
    cluster.objects.create(SECRETS, WHERE.namespace, OLD)
    elsewhere = type(WHERE)("nowhere", WHERE.name)
    for where, path, words in (
        (WHERE, powerless, "; name by --kubeconfig somebody who may write Secrets there"),
        (WHERE, creator, "403"),
        (elsewhere, kubeconfig, 'namespaces "nowhere" not found; first kubectl create namespace nowhere'),
        (WHERE, nobody, "the connection to the cluster failed"),
        (WHERE, kubeconfig.with_name("missing"), "missing: there is no such file"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            await ClusterSecret(where, str(path), force=True).check()
        assert words in str(caught.value), path
    await ClusterSecret(WHERE, str(kubeconfig), force=True).check()
    await ClusterSecret(type(WHERE)("argo", "new"), str(kubeconfig)).check()
    assert kept(cluster)["data"] == OLD["data"]
    with pytest.raises(ApiError):
        cluster.objects.get(SECRETS, "argo", "new")
