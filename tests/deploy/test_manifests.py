"""The manifests fit each other, and the settings and accounts that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_kit import DEPLOY, KUSTOMIZATIONS, ROOT, container, manifest, manifests, option, read

from kubeci.local.stack import StackSettings, local_stack
from kubeci.settings.config import load_config

API_VERSIONS = {
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "Namespace": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PersistentVolumeClaim": "v1",
    "PodDisruptionBudget": "policy/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "Secret": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
}
COMPONENTS = {"replicas", "ingress", "network-policy", "service-monitor", "alerts"}


def identity(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", list(manifests()), ids=identity)
def test_every_file_is_one_object_of_a_known_kind_in_the_servers_namespace(path: Path) -> None:
    found = read(path)
    assert found["apiVersion"] == API_VERSIONS[found["kind"]]
    assert found["metadata"]["name"].startswith("kubeci")
    placed_by_kustomize = path.parent.name in {"server", "builds"}
    assert found["metadata"].get("namespace") == (None if placed_by_kustomize else "kubeci")


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=identity)
def test_a_kustomization_names_each_file_beside_it(path: Path) -> None:
    found = read(path)
    generated = [name for each in found.get("configMapGenerator", ()) for name in each["files"]]
    named = {each for each in (*found["resources"], *generated) if each.endswith(".yaml")}
    left_out = {each.name for each in path.parent.glob("*.yaml")} - {"kustomization.yaml"} - named
    assert all((path.parent / name).exists() for name in found["resources"])
    assert left_out <= {"secret.example.yaml", "cluster-wide.yaml"}
    assert (found["kind"] == "Component") == (path.parent.name in COMPONENTS)


def test_an_example_of_a_secret_is_never_applied_and_holds_nothing() -> None:
    assert set(manifest("secret.example.yaml")["stringData"].values()) == {""}


@pytest.mark.parametrize(
    ("where", "selector"),
    [
        ("server/deployment.yaml", lambda spec: spec["selector"]["matchLabels"]),
        ("server/service.yaml", lambda spec: spec["selector"]),
        ("server/disruption-budget.yaml", lambda spec: spec["selector"]["matchLabels"]),
        ("network-policy/network-policy.yaml", lambda spec: spec["podSelector"]["matchLabels"]),
    ],
)
def test_selectors_find_the_pod(where: str, selector: Any) -> None:
    labels = manifest("server/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    wanted = selector(manifest(where)["spec"])
    assert wanted
    assert wanted.items() <= labels.items()


def test_ports_lead_from_the_ingress_and_the_monitor_to_the_container() -> None:
    service = manifest("server/service.yaml")
    [port] = service["spec"]["ports"]
    [listening] = container()["ports"]
    [rule] = manifest("ingress/ingress.yaml")["spec"]["rules"]
    [path] = rule["http"]["paths"]
    backend = path["backend"]["service"]
    assert (backend["name"], backend["port"]["name"]) == (service["metadata"]["name"], port["name"])
    monitor = manifest("service-monitor/service-monitor.yaml")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [each["port"] for each in monitor["endpoints"]] == [port["name"]]
    assert port["targetPort"] == listening["name"]
    [incoming] = manifest("network-policy/network-policy.yaml")["spec"]["ingress"]
    assert [each["port"] for each in incoming["ports"]] == [listening["containerPort"]]
    assert option("listen").endswith(f":{listening['containerPort']}")


PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


async def test_the_ingress_shows_webhooks_alone(tmp_path: Path) -> None:
    async with local_stack(tmp_path, StackSettings(slack=True, engine=False)) as stack:
        routes = {str(getattr(route, "path", "")) for route in stack.server.web.routes}
    [rule] = manifest("ingress/ingress.yaml")["spec"]["rules"]
    [path] = rule["http"]["paths"]
    shown = {route for route in routes if route.startswith(path["path"])}
    assert shown == {"/webhooks/github", "/webhooks/slack/cmd"}
    assert {"/metrics", "/status", "/"} <= routes
    assert {container()[probe]["httpGet"]["path"] for probe in PROBES} | {"/metrics"} <= routes


def test_the_settings_are_read_strictly_and_name_the_namespace_of_the_builds() -> None:
    found = load_config((DEPLOY / "server" / "config.yaml").read_text(), source="config.yaml", strict=True)
    builds = manifest("builds/kustomization.yaml")
    assert (found.warnings, found.config.namespace) == ((), builds["namespace"])


def test_the_rights_go_to_the_servers_account_in_the_servers_namespace() -> None:
    account = manifest("server/service-account.yaml")["metadata"]["name"]
    namespace = manifest("server/namespace.yaml")["metadata"]["name"]
    assert manifest("server/kustomization.yaml")["namespace"] == namespace
    server = [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]
    bound = manifest("builds/role-binding.yaml")
    given = {each["kind"]: each for each in documents("kubeci.yaml")}
    assert (bound["subjects"], bound["roleRef"]) == (server, given["RoleBinding"]["roleRef"])
    assert bound["metadata"]["name"] != given["RoleBinding"]["metadata"]["name"]
    [everywhere] = [each for each in documents("cluster-wide.yaml") if each["kind"] == "ClusterRoleBinding"]
    assert everywhere["subjects"] == server


def test_the_account_in_the_namespace_of_the_builds_is_left_out() -> None:
    patches = [yaml.safe_load(each["patch"]) for each in manifest("builds/kustomization.yaml")["patches"]]
    assert [(each["$patch"], each["kind"]) for each in patches] == [
        ("delete", "ServiceAccount"),
        ("delete", "RoleBinding"),
    ]
    left_out = {(each["kind"], each["metadata"]["name"]) for each in patches}
    there = {(each["kind"], each["metadata"]["name"]) for each in documents("kubeci.yaml")}
    assert there - left_out == {("Role", "kubeci")}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / "rbac" / name).read_text()))
