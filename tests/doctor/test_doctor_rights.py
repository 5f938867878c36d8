from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from installation_scene import Scene, faults, skipped

from kubeci.cluster.access import Right
from kubeci.doctor.finding import State
from kubeci.doctor.rights import CLUSTER_TEMPLATES, NEEDED
from kubeci.local.cluster.users import User

RBAC = Path(__file__).parents[2] / "rbac"
SERVER = "system:serviceaccount:kubeci:kubeci"
NOT_OURS = frozenset(
    {
        ("get", "", "namespaces"),
        ("get", "argoproj.io", "clusterworkflowtemplates"),
        ("get", "storage.k8s.io", "storageclasses"),
        ("list", "storage.k8s.io", "storageclasses"),
        ("impersonate", "", "users"),
    }
)


def granted(file: str, name: str) -> set[Right]:
    [role] = [
        each
        for each in yaml.safe_load_all((RBAC / file).read_text())
        if each["kind"].endswith("Role") and each["metadata"]["name"] == name
    ]
    return {
        Right(group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_rights_are_those_that_the_role_grants() -> None:
    rights = [right for right, _ in NEEDED]
    assert set(rights) == granted("kubeci.yaml", "kubeci") == granted("cluster-wide.yaml", "kubeci-builds")
    assert len(rights) == len(set(rights))
    assert {CLUSTER_TEMPLATES} == granted("cluster-wide.yaml", "kubeci-cluster-templates")


@pytest.mark.parametrize(("right", "carries"), NEEDED, ids=str)
async def test_each_right_that_is_missing_is_found_alone(right: Right, carries: str, scene: Scene) -> None:
    name = f"{right.verb} {right.resource}"
    scene.log_in(User("some", allowed=True, denied=frozenset({(right.verb, right.group, right.resource)})))
    found = [each for each in await scene.findings() if each.state is not State.OK]
    assert [each.name for each in found if each.state is not State.UNKNOWN] == [name]
    missing = next(each for each in found if each.name == name)
    assert str(right) in missing.found
    assert carries in missing.why
    assert missing.command == "kubectl apply --namespace argo --filename rbac/kubeci.yaml"
    listing = str(right) == "list workflows.argoproj.io"
    assert skipped(found) == (["controller"] if listing else [])


async def test_the_servers_own_account_is_enough(scene: Scene) -> None:
    scene.log_in(User(SERVER, allowed=True, denied=NOT_OURS))
    found = await scene.findings()
    assert faults(found) == []
    assert skipped(found) == ["storage class"]
    told = {each.name: each for each in found}
    assert told["namespace"].state is State.OK
    assert "rbac/cluster-wide.yaml" in told["ClusterWorkflowTemplates"].found
    assert told["storage class"].command == "kubectl get storageclass"


async def test_a_missing_namespace_is_found_without_the_right_to_read_it(scene: Scene) -> None:
    scene.log_in(User(SERVER, allowed=True, denied=NOT_OURS))
    scene.stack.cluster.namespaces = ("other",)
    assert faults(await scene.findings()) == [("namespace", State.WRONG)]


async def test_without_rights_nobody_knows_whether_the_namespace_is_there(scene: Scene) -> None:
    scene.log_in(User("nobody", allowed=False))
    found = await scene.findings()
    assert skipped(found) == ["namespace", "controller", "storage class"]
    assert faults(found) == [("rights", State.WRONG)]


@pytest.mark.parametrize(
    ("server", "wrong"),
    [
        (User(SERVER, allowed=True), []),
        (User(SERVER, allowed=True, denied=frozenset({("get", "", "pods/log")})), ["get pods/log"]),
    ],
)
async def test_an_administrator_asks_for_the_server(server: User, wrong: list[str], scene: Scene) -> None:
    scene.stack.cluster.further_users = (server,)
    scene.settings(as_user=SERVER)
    found = await scene.findings()
    assert [name for name, _ in faults(found)] == wrong
    assert SERVER in next(each.found for each in found if each.group == "rights")


async def test_who_may_not_impersonate_is_told_so(scene: Scene) -> None:
    scene.log_in(User("some", allowed=True, denied=frozenset({("impersonate", "", "users")})))
    scene.settings(as_user=SERVER)
    found = await scene.findings()
    assert faults(found) == []
    assert skipped(found) == ["rights", "ClusterWorkflowTemplates"]
