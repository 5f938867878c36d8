"""The manifests fit each other, and the server that they start."""

from __future__ import annotations

import inspect
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import click
import pytest
import yaml
from deploy_kit import (
    DEPLOY,
    KUSTOMIZATIONS,
    ROOT,
    bytes_of,
    container,
    manifest,
    manifests,
    pod,
    read,
)
from doc_commands import INSTALL, commands, replicas_of

from kubeci.cli import cli
from kubeci.definition.protocol import Limits
from kubeci.local.stack import StackSettings, local_stack
from kubeci.service.intake import Intake
from kubeci.settings.config import load_config
from kubeci.settings.duration import duration_seconds
from kubeci.store.engine import is_shared

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
SERVER_MIB = 160  # docs/benchmarks.md: the server and the process that its evaluations are forked from


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


async def test_the_ingress_shows_webhooks_alone(tmp_path: Path) -> None:
    async with local_stack(tmp_path, StackSettings(slack=True, engine=False)) as stack:
        routes = {str(getattr(route, "path", "")) for route in stack.server.web.routes}
    [rule] = manifest("ingress/ingress.yaml")["spec"]["rules"]
    [path] = rule["http"]["paths"]
    shown = {route for route in routes if route.startswith(path["path"])}
    assert shown == {"/webhooks/github", "/webhooks/slack/cmd"}
    assert {"/metrics", "/status", "/"} <= routes
    assert {container()[probe]["httpGet"]["path"] for probe in PROBES} | {"/metrics"} <= routes


PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def option(name: str) -> str:
    """Give an option as the Deployment's environment sets it, or its default."""
    [command] = container()["args"]
    serve = cli.get_command(click.Context(cli), command)
    assert serve
    [found] = [each for each in serve.params if each.opts == [f"--{name}"]]
    given = {each["name"]: each.get("value") for each in container()["env"]}
    return str(given.get(str(found.envvar), found.default))


def test_every_variable_is_an_option_of_the_server() -> None:
    serve = cli.get_command(click.Context(cli), "serve")
    assert serve
    known = {each.envvar for each in serve.params}
    assert {each["name"] for each in container()["env"]} <= known


def test_a_server_that_is_going_has_the_time_it_takes() -> None:
    way_out = sum(duration_seconds(option(name)) for name in ("grace.shutdown", "grace.requests"))
    given = pod()["terminationGracePeriodSeconds"]
    assert way_out + 10 <= given
    liveness = container()["livenessProbe"]
    assert liveness["periodSeconds"] * liveness["failureThreshold"] > given
    readiness = container()["readinessProbe"]
    seen_after = readiness["periodSeconds"] * readiness["failureThreshold"] + readiness["timeoutSeconds"]
    assert seen_after < duration_seconds(option("grace.shutdown"))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (("pod", "securityContext", "runAsNonRoot"), True),
        (("pod", "securityContext", "runAsUser"), 65532),
        (("pod", "securityContext", "runAsGroup"), 65532),
        (("pod", "securityContext", "fsGroup"), 65532),
        (("pod", "securityContext", "seccompProfile"), {"type": "RuntimeDefault"}),
        (("pod", "serviceAccountName"), "kubeci"),
        (("container", "securityContext", "allowPrivilegeEscalation"), False),
        (("container", "securityContext", "readOnlyRootFilesystem"), True),
        (("container", "securityContext", "capabilities"), {"drop": ["ALL"]}),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_the_pod_may_do_little(where: tuple[str, ...], expected: object) -> None:
    found: Any = {"pod": pod(), "container": container()}
    for name in where:
        found = found[name]
    assert found == expected


def test_the_image_runs_as_the_user_of_the_pod() -> None:
    user = pod()["securityContext"]["runAsUser"]
    assert f"USER {user}:{user}" in (ROOT / "Dockerfile").read_text().splitlines()


def test_no_secret_is_in_the_environment() -> None:
    keys = [each["valueFrom"]["secretKeyRef"]["key"] for each in container()["env"] if "valueFrom" in each]
    assert keys == ["app-id"]
    [secret] = [each["secret"] for each in pod()["volumes"] if "secret" in each]
    mounted = {each["key"] for each in secret["items"]}
    assert mounted | set(keys) == set(manifest("secret.example.yaml")["stringData"])
    assert secret["defaultMode"] == 0o440


def test_what_the_pod_mounts_is_there() -> None:
    volumes = {each["name"]: each for each in pod()["volumes"]}
    assert {each["name"] for each in container()["volumeMounts"]} == set(volumes)
    claim = manifest("server/volume-claim.yaml")["metadata"]["name"]
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == claim
    [config] = manifest("server/kustomization.yaml")["configMapGenerator"]
    assert volumes["config"]["configMap"]["name"] == config["name"]
    assert volumes["github"]["secret"]["secretName"] == manifest("secret.example.yaml")["metadata"]["name"]


def test_the_memory_holds_as_many_evaluations_as_deliveries_are_worked_on() -> None:
    at_once = inspect.signature(Intake.run).parameters["workers"].default
    needed = SERVER_MIB + at_once * Limits().memory_mib
    resources = container()["resources"]
    assert bytes_of(resources["limits"]["memory"]) >= needed << 20
    assert bytes_of(resources["requests"]["memory"]) >= SERVER_MIB << 20
    assert "cpu" in resources["requests"]


def test_a_store_with_one_writer_never_has_two_and_blocks_no_drain() -> None:
    spec = manifest("server/deployment.yaml")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    budget = manifest("server/disruption-budget.yaml")["spec"]
    assert (budget["maxUnavailable"], "minAvailable" in budget) == (1, False)


def test_replicas_stand_apart_share_no_file_and_are_replaced_one_by_one() -> None:
    gone, changed = (
        yaml.safe_load(each["patch"]) for each in manifest("replicas/kustomization.yaml")["patches"]
    )
    claim = manifest("server/volume-claim.yaml")
    assert (gone["$patch"], gone["metadata"]["name"]) == ("delete", claim["metadata"]["name"])
    assert changed["metadata"]["name"] == manifest("server/deployment.yaml")["metadata"]["name"]
    spec = changed["spec"]
    assert spec["replicas"] > manifest("server/disruption-budget.yaml")["spec"]["maxUnavailable"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    patched = spec["template"]["spec"]
    [data] = patched["volumes"]
    assert data["name"] in {each["name"] for each in pod()["volumes"]}
    assert data["persistentVolumeClaim"] is None
    labels = manifest("server/deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    apart, from_builds = (
        each["podAffinityTerm"]
        for each in patched["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    )
    assert apart["labelSelector"]["matchLabels"].items() <= labels.items()
    [of_the_base] = pod()["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert from_builds == of_the_base["podAffinityTerm"]
    variables = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in patched["containers"][0]["env"]}
    assert set(variables) == {"KUBECI_STORE", "PGPASSWORD"}
    [command] = [each for each in commands(INSTALL) if each.line.startswith(CREATE_POSTGRESQL)]
    assert {each["name"] for each in variables.values()} == {command.words[4]}
    assert {each["key"] for each in variables.values()} == {"address", "password"}


def test_the_database_is_known_by_a_certificate_that_is_mounted() -> None:
    [command] = [each for each in commands(INSTALL) if each.line.startswith(CREATE_POSTGRESQL)]
    [address] = [word.partition("=")[2] for word in command.words if word.startswith("address=")]
    assert is_shared(address)
    options = dict(parse_qsl(urlsplit(address).query))
    assert options["sslmode"] == "verify-full"
    authority = PurePosixPath(options["sslrootcert"])
    [mount] = [each for each in container()["volumeMounts"] if each["name"] == "config"]
    assert str(authority.parent) == mount["mountPath"]
    overlay = replicas_of(INSTALL)
    [generated] = overlay["configMapGenerator"]
    assert set(generated["files"]) == {"config.yaml", authority.name}
    assert all((ROOT / "docs" / each).is_dir() for each in overlay["components"])
    [password] = [each for each in commands(INSTALL) if each.line.endswith(" >db-password")]
    assert password.line.startswith("printf %s ")


CREATE_POSTGRESQL = "kubectl create secret generic kubeci-postgresql "


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
