"""The manifests at a real API server, and the documents' commands in the order in which they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from deploy_kit import ROOT
from doc_commands import INSTALL, OPERATE, Command, commands, files, named_in_tables, replicas_of

from kubeci.create_app.secret import SecretName, as_yaml

if TYPE_CHECKING:
    from given_cluster import RealCluster

pytestmark = pytest.mark.cluster

BUILDS = "documented-builds"
"""Stands for the documents' namespace `argo`, where other tests of this cluster work."""
UNDER_ROOT = ("examples/deploy", "rbac")
NEEDS_A_PROCESS = re.compile(r"kubectl (exec|port-forward|logs) ")
"""Commands that speak to the pod's process, which a simulated node has not."""
NOT_AGAIN = {
    "kubectl create secret": "already exists",
    "kubectl rollout restart": "already been triggered within the past second",
}
"""What the same command, or the other of two ways, did before may be said."""


@dataclass(frozen=True)
class Machine:
    """An operator's clone of the repository, beside a cluster."""

    folder: Path
    kubeconfig: Path
    kubectl: Path

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        environment = {"KUBECONFIG": str(self.kubeconfig), "HOME": str(self.folder)}
        path = f"{self.kubectl.parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env={**environment, "PATH": path},
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip

    def must(self, line: str) -> str:
        done = self.run(line)
        assert done.returncode == 0, (line, done.stdout[-2000:], done.stderr[-2000:])
        assert "Warning" not in done.stderr, (line, done.stderr)
        return done.stdout

    def do(self, command: Command) -> None:
        """Run a line of the documents, or look for what it speaks to where nothing answers."""
        line = command.line.replace("namespace argo", f"namespace {BUILDS}").replace(":argo:", f":{BUILDS}:")
        if NEEDS_A_PROCESS.match(line):
            place = re.search(r"--namespace kubeci (?:(deployment|service)/kubeci|--selector (\S+))", line)
            assert place, line
            wanted = f"{place[1]} kubeci" if place[1] else f"pods --selector {place[2]}"
            assert "kubeci" in self.must(f"kubectl get --namespace kubeci {wanted} --output name"), line
            return
        if line.startswith("kubeci "):
            return  # test_operators_docs.py reads its options, tests/create_app runs it
        if line.startswith("kubectl delete persistentvolumeclaim "):
            line += " --wait=false"  # the replicas that do without it are another overlay here: `further`
        done = self.run(line)
        expected = [text for start, text in NOT_AGAIN.items() if line.startswith(start)]
        fine = done.returncode == 0 or any(text in done.stderr for text in expected)
        assert fine, (line, done.stdout[-2000:], done.stderr[-2000:])
        assert "Warning" not in done.stderr, (line, done.stderr)
        if " can-i " in line:
            assert done.stdout == "yes\n", line


@pytest.fixture(scope="module")
def machine(real_cluster: RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    if real_cluster.plane is None:
        pytest.skip("nothing is installed in somebody else's cluster")
    folder = tmp_path_factory.mktemp("clone")
    for each in UNDER_ROOT:
        shutil.copytree(ROOT / each, folder / each)
    builds = folder / "examples/deploy/builds/kustomization.yaml"
    builds.write_text(builds.read_text().replace("namespace: argo", f"namespace: {BUILDS}"))
    (folder / "ours").mkdir()
    for name, text in reversed(files(INSTALL)):  # those that come first are the ordinary ones
        (folder / name).write_text(text.replace("namespace: argo", f"namespace: {BUILDS}"))
    full = sorted((real_cluster.tools.parent / "crds" / "full").glob("argoproj*.yaml"))
    (folder / "argo-install.yaml").write_text("\n---\n".join(each.read_text() for each in full))
    values = {"app-id": "12345", "github-key": "a key", "webhook-secret": "a secret"}
    where = SecretName("kubeci", "kubeci-github")
    (folder / "kubeci-github.yaml").write_text(as_yaml(secret(where, values)))
    for name in ("private-key.pem", "slack-token", "slack-signing-secret"):
        (folder / name).write_text("a key")
    for name in ("crt", "key"):
        shutil.copy(real_cluster.folder / f"server.{name}", folder / f"tls.{name}")
    kubectl = real_cluster.kubectl.program
    return Machine(folder, real_cluster.kubeconfig, kubectl)


def secret(where: SecretName, values: dict[str, str]) -> dict[str, object]:
    meta = {"name": where.name, "namespace": where.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": values}


REMOVAL = "kubectl delete "


@pytest.fixture
def namespaces(machine: Machine) -> Iterator[None]:
    """Have the namespaces there: under a dry run nothing else would find them."""
    machine.must("kubectl apply --filename examples/deploy/server/namespace.yaml")
    machine.must(f"kubectl create namespace {BUILDS}")
    yield
    machine.must(f"kubectl delete namespace kubeci {BUILDS}")


@pytest.mark.usefixtures("namespaces")
def test_the_server_takes_every_field(machine: Machine) -> None:
    dry = "--dry-run=server --validate=strict --output name"
    made = machine.must(f"kubectl apply --kustomize ours {dry}").split()
    assert {each.partition("/")[0].partition(".")[0] for each in made} == {
        "configmap", "deployment", "ingress", "namespace", "networkpolicy", "persistentvolumeclaim",
        "poddisruptionbudget", "role", "rolebinding", "service", "serviceaccount",
    }  # fmt: skip
    overlay = further(machine)
    machine.must(f"kubectl apply --kustomize {overlay} {dry}")
    built = list(yaml.safe_load_all(machine.must(f"kubectl kustomize {overlay}")))
    [server] = [each["spec"] for each in built if each["kind"] == "Deployment"]
    assert (server["replicas"], server["strategy"]["type"]) == (2, "RollingUpdate")
    [settings] = [each["data"] for each in built if each["kind"] == "ConfigMap"]
    assert set(settings) == {"config.yaml", "db-ca.pem"}
    assert "PersistentVolumeClaim" not in {each["kind"] for each in built}
    [policy] = [each["spec"] for each in built if each["kind"] == "NetworkPolicy"]
    assert {each["port"] for rule in policy["egress"] for each in rule["ports"]} == {53, 443, 6443, 5432}
    machine.must(f"kubectl apply --filename examples/deploy/secret.example.yaml {dry}")
    machine.must(f"kubectl apply --namespace {BUILDS} --kustomize rbac {dry}")
    machine.must(f"kubectl apply --filename rbac/cluster-wide.yaml {dry}")


def further(machine: Machine) -> str:
    """Make an overlay that has the documents' patches for Slack and PostgreSQL too, and replicas."""
    folder = shutil.copytree(machine.folder / "ours", machine.folder / "further")
    for name, text in files(OPERATE):
        with (machine.folder / name.replace("ours/", "further/")).open("a") as patch:
            patch.write(text)
    overlay = yaml.safe_load((folder / "kustomization.yaml").read_text())
    overlay["patches"].append({"path": "slack.yaml"})
    overlay |= replicas_of(INSTALL)
    (folder / "db-ca.pem").write_text("a certificate")
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return folder.name


def test_the_components_of_the_prometheus_operator_are_built(machine: Machine) -> None:
    overlay = yaml.safe_load((machine.folder / "ours" / "kustomization.yaml").read_text())
    overlay["components"] = [f"../examples/deploy/{name}" for name in ("service-monitor", "alerts")]
    overlay["patches"] = []
    (machine.folder / "monitored").mkdir()
    (machine.folder / "monitored" / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    shutil.copy(machine.folder / "ours" / "config.yaml", machine.folder / "monitored")
    found = list(yaml.safe_load_all(machine.must("kubectl kustomize monitored")))
    assert {"ServiceMonitor", "PrometheusRule"} <= {each["kind"] for each in found}


def test_the_documents_install_run_and_remove_a_server(machine: Machine) -> None:
    install = commands(INSTALL)
    for command in install:
        if not command.line.startswith(REMOVAL):
            machine.do(command)
    pod = machine.must(
        "kubectl get pod --namespace kubeci --selector app.kubernetes.io/name=kubeci --output jsonpath='{.items[*].status.phase}'"
    )
    assert pod == "Running"
    overlay = machine.folder / "ours" / "kustomization.yaml"
    overlay.write_text(overlay.read_text().replace("newTag: 0.1.0", "newTag: 0.2.0"))
    for command in (*commands(OPERATE), *named_in_tables(OPERATE)):
        machine.do(command)
    for command in install:
        if command.line.startswith(REMOVAL):
            machine.do(command)
    machine.must("kubectl wait --for=delete namespace/kubeci --timeout 60s")
    everywhere = machine.must("kubectl get clusterroles,clusterrolebindings --output name").splitlines()
    assert [each for each in everywhere if "/kubeci" in each] == []
    assert machine.must(f"kubectl get roles --namespace {BUILDS} --output name") == ""
