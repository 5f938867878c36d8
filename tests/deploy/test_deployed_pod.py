"""The server's pod: what it is started with, may do, mounts and takes."""

from __future__ import annotations

import inspect
from typing import Any

import click
import pytest
from deploy_kit import ROOT, bytes_of, container, manifest, option, pod

from kubeci.cli import cli
from kubeci.definition.protocol import Limits
from kubeci.service.intake import Intake
from kubeci.settings.duration import duration_seconds

SERVER_MIB = 160  # docs/benchmarks.md: the server and the process that its evaluations are forked from


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
