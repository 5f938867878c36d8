"""What doctor tells to do, done in a real API server: it mends what was wrong."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
import yaml
from installation_scene import Scene

from kubeci.cluster.access import own_name
from kubeci.cluster.connect import connect
from kubeci.cluster.discovery import Namespace, find_namespace
from kubeci.doctor.finding import Finding, Group, State

if TYPE_CHECKING:
    from given_cluster import RealCluster
    from kubectl import Kubectl

pytestmark = pytest.mark.cluster

RBAC = Path(__file__).parents[2] / "rbac"
HELD = """
apiVersion: v1
kind: ConfigMap
metadata: {name: held, finalizers: [kubeci.test/held]}
"""


@pytest.fixture
def builds(real_cluster: RealCluster) -> Iterator[Kubectl]:
    """A namespace of builds with the Role of rbac/kubeci.yaml, bound to nobody."""
    kubectl = replace(real_cluster.kubectl, namespace=f"builds-{uuid.uuid4().hex[:8]}")
    kubectl("create", "namespace", kubectl.namespace)
    [role] = [
        each for each in yaml.safe_load_all((RBAC / "kubeci.yaml").read_text()) if each["kind"] == "Role"
    ]
    kubectl("apply", "--filename", "-", given=yaml.safe_dump(role))
    yield kubectl
    kubectl("delete", "namespace", kubectl.namespace, "--wait=false", "--ignore-not-found")


async def rights(scene: Scene) -> list[Finding]:
    found = await scene.findings()
    return [each for each in found if each.group is Group.RIGHTS and each.state is not State.OK]


def follow(kubectl: Kubectl, command: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "kubectl"
    kubectl(*arguments)


async def test_the_commands_grant_the_account_what_it_lacks(
    builds: Kubectl, real_cluster: RealCluster, scene: Scene
) -> None:
    scene.options(kubeconfig=real_cluster.kubeconfig)
    config = msgspec.structs.replace(scene.subject.config, namespace=builds.namespace)
    scene.settings(config=config, as_user="system:serviceaccount:elsewhere:kubeci")
    [missing] = await rights(scene)
    assert missing.name == "rights"
    follow(builds, missing.command)
    assert await rights(scene) == []
    assert "elsewhere" in builds("get", "rolebinding", "--output=yaml")
    assert "kubeci" not in builds("get", "serviceaccount", "--output=name")
    builds("patch", "role", "kubeci", "--type=json", '--patch=[{"op": "remove", "path": "/rules/4"}]')
    builds("patch", "role", "kubeci", "--type=json", '--patch=[{"op": "remove", "path": "/rules/2"}]')
    logs, pods = await rights(scene)
    assert (logs.name, pods.name, logs.command) == ("get pods/log", "list pods", pods.command)
    follow(builds, logs.command)
    assert await rights(scene) == []


async def test_a_namespace_that_is_being_deleted_is_seen_by_everybody(
    builds: Kubectl, real_cluster: RealCluster, tmp_path: Path
) -> None:
    builds("apply", "--filename", str(RBAC / "kubeci.yaml"))
    account = str(builds.kubeconfig_of("kubeci", tmp_path / "kubeconfig"))
    for kubeconfig in (account, str(real_cluster.kubeconfig)):
        async with connect(kubeconfig=kubeconfig) as client:
            assert await find_namespace(client, builds.namespace) is Namespace.THERE
    async with (
        connect(kubeconfig=account) as server,
        connect(kubeconfig=str(real_cluster.kubeconfig)) as admin,
    ):
        assert await own_name(server) == f"system:serviceaccount:{builds.namespace}:kubeci"
        builds.create(HELD)
        # The account's own rights stay as long as its objects do.
        builds("patch", "role", "kubeci", "--patch", '{"metadata": {"finalizers": ["kubeci.test/held"]}}')
        for kind in ("rolebinding", "serviceaccount"):
            builds("patch", kind, "kubeci", "--patch", '{"metadata": {"finalizers": ["kubeci.test/held"]}}')
        builds("delete", "namespace", builds.namespace, "--wait=false")
        try:
            assert await find_namespace(admin, builds.namespace) is Namespace.ENDING
            assert await find_namespace(server, builds.namespace) is Namespace.ENDING
        finally:
            for kind, name in (
                ("role", "kubeci"),
                ("rolebinding", "kubeci"),
                ("serviceaccount", "kubeci"),
                ("configmap", "held"),
            ):
                builds("patch", kind, name, "--type=merge", "--patch", '{"metadata": {"finalizers": null}}')
