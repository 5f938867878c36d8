from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from installation_scene import Scene, faults, skipped

from kubeci.cluster.access import Right
from kubeci.cluster.lease import lease_name
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.grant import BINDING, ROLE, all_of_them, some
from kubeci.doctor.rights import CLUSTER_TEMPLATES, LEADING, NEEDED
from kubeci.local.cluster.resources import LEASES
from kubeci.local.cluster.users import User

ROOT = Path(__file__).parents[2]
RBAC = ROOT / "rbac"
BUILDS = ROOT / "examples" / "deploy" / "builds"
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
    rights = [right for right, _ in (*NEEDED, *LEADING)]
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
    assert "rbac/kubeci.yaml" in missing.remedy
    assert missing.command == "", "the cluster does not tell who we are"
    listing = str(right) == "list workflows.argoproj.io"
    assert skipped(found) == (["controller"] if listing else [])


@pytest.mark.parametrize(("right", "carries"), LEADING, ids=str)
async def test_leases_are_needed_where_replicas_may_share_the_store(
    right: Right, carries: str, scene: Scene
) -> None:
    scene.log_in(User("some", allowed=True, denied=frozenset({(right.verb, right.group, right.resource)})))
    assert faults(await scene.findings()) == []
    scene.options(store_url="postgresql://nobody@127.0.0.1:1/kubeci")
    [store, missing] = [each for each in await scene.findings() if each.state is State.WRONG]
    assert store.name == "store"
    assert (missing.name, str(right) in missing.found) == (f"{right.verb} leases", True)
    assert carries in missing.why


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


def wrong_right(found: list[Finding]) -> Finding:
    [finding] = [each for each in found if each.group is Group.RIGHTS and each.state is not State.OK]
    return finding


async def ask_for(scene: Scene, name: str, *denied: tuple[str, str, str], allowed: bool = False) -> Finding:
    scene.stack.cluster.further_users = (User(name, allowed=allowed, denied=frozenset(denied)),)
    scene.settings(as_user=name)
    return wrong_right(await scene.findings())


async def test_without_a_binding_the_account_in_question_is_bound(scene: Scene) -> None:
    missing = await ask_for(scene, SERVER)
    assert missing.command == (
        "kubectl create rolebinding kubeci-server --namespace argo --role kubeci --serviceaccount kubeci:kubeci"
    )
    assert "--kustomize ours" in missing.remedy


async def test_a_right_alone_is_added_to_the_role(scene: Scene) -> None:
    missing = await ask_for(scene, SERVER, ("get", "", "pods/log"), allowed=True)
    *command, patch = shlex.split(missing.command)
    assert command == [
        "kubectl",
        "patch",
        "role",
        "kubeci",
        "--namespace",
        "argo",
        "--type",
        "json",
        "--patch",
    ]
    rule = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}
    assert json.loads(patch) == [{"op": "add", "path": "/rules/-", "value": rule}]


async def test_a_role_from_before_replicas_is_told_to_be_old(scene: Scene) -> None:
    scene.options(store_url="postgresql://nobody@127.0.0.1:1/kubeci")
    denied = tuple((right.verb, right.group, right.resource) for right, _ in LEADING)
    missing = await ask_for(scene, SERVER, *denied, allowed=True)
    assert missing.found == f"{SERVER} lacks {', '.join(str(right) for right, _ in LEADING)}"
    assert missing.remedy.startswith("the Role kubeci in argo is that of an older version")
    *_, patch = shlex.split(missing.command)
    rule = {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "create", "update"],
    }
    assert json.loads(patch) == [{"op": "add", "path": "/rules/-", "value": rule}]
    own = some("system:serviceaccount:builds:kubeci", "builds", [right for right, _ in LEADING])
    assert "older version" in own.remedy


@pytest.mark.parametrize(
    ("holder", "age", "state", "told"),
    [
        ("kubeci-1/1/ab", 0, State.OK, "kubeci-1/1/ab leads; it renewed the lease kube-ci just now"),
        ("kubeci-1/1/ab", 300, State.WARNING, "kubeci-1/1/ab did last, 5 minutes ago"),
        ("", 300, State.WARNING, "the last one gave it up 5 minutes ago"),
        (None, 0, State.OK, "nobody yet"),
    ],
)
async def test_who_leads_is_told_where_replicas_may_share_the_store(
    holder: str | None, age: int, state: State, told: str, scene: Scene
) -> None:
    if holder is not None:
        renewed = datetime.now(UTC) - timedelta(seconds=age)
        spec = {"holderIdentity": holder or None, "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        lease = {"metadata": {"name": lease_name(scene.subject.config.managed_by)}, "spec": spec}
        scene.stack.cluster.objects.create(LEASES, "argo", lease)
    assert [each for each in await scene.findings() if each.name == "leader"] == []
    scene.options(store_url="postgresql://nobody@127.0.0.1:1/kubeci")
    [found] = [each for each in await scene.findings() if each.name == "leader"]
    assert (found.state, told in found.found) == (state, True), found


async def test_where_the_namespace_is_missing_that_comes_first(scene: Scene) -> None:
    scene.stack.cluster.namespaces = ("other",)
    missing = await ask_for(scene, SERVER)
    assert (missing.command, "see cluster" in missing.remedy) == ("", True)


@pytest.mark.parametrize("user", ["nobody", "system:anonymous", "system:serviceaccount:a;b:c", ""])
def test_who_is_no_service_account_gets_no_command(user: str) -> None:
    lacking = [right for right, _ in NEEDED]
    for grant in (all_of_them(user, "argo"), some(user, "argo", lacking)):
        assert (grant.command, "rbac/kubeci.yaml" in grant.remedy) == ("", True)


def test_the_account_of_the_file_gets_the_file() -> None:
    user = "system:serviceaccount:builds:kubeci"
    for grant in (all_of_them(user, "builds"), some(user, "builds", [NEEDED[0][0]])):
        assert grant.command == "kubectl apply --namespace builds --filename rbac/kubeci.yaml"


def test_names_are_those_of_the_manifests() -> None:
    [binding] = yaml.safe_load_all((BUILDS / "role-binding.yaml").read_text())
    assert (binding["metadata"]["name"], binding["roleRef"]["name"]) == (BINDING, ROLE)


async def test_who_may_not_impersonate_is_told_so(scene: Scene) -> None:
    scene.log_in(User("some", allowed=True, denied=frozenset({("impersonate", "", "users")})))
    scene.settings(as_user=SERVER)
    found = await scene.findings()
    assert faults(found) == []
    assert skipped(found) == ["rights", "ClusterWorkflowTemplates"]
