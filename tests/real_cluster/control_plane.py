"""A Kubernetes control plane of this machine, all on loopback: etcd, API server, controllers, KWOK's node, Argo's controller."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from certificates import write_keys
from kubectl import Kubectl
from processes import Program

HERE = Path(__file__).parent
LOOPBACK = "127.0.0.1"
NAMESPACE = "argo"
ADMIN_TOKEN = "admin"
CONTROLLERS = "*,-nodeipam,-route,-service-lb-controller,-cloud-node-lifecycle,-bootstrapsigner,-tokencleaner"
PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "workflow-controller",
)
SETUP = f"""
apiVersion: v1
kind: Node
metadata: {{name: kwok-0, labels: {{kubernetes.io/hostname: kwok-0, kubeci.test/pods: kwok}}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: {NAMESPACE}}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: standard, annotations: {{storageclass.kubernetes.io/is-default-class: "true"}}}}
provisioner: kubernetes.io/host-path
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: workflow-controller-configmap, namespace: {NAMESPACE}}}
data:
  metricsConfig: "{{enabled: false}}"
  telemetryConfig: "{{enabled: false}}"
"""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The programs, in the order in which they start."""

    folder: Path
    tools: Path
    port: int
    programs: dict[str, Program]

    @property
    def kubeconfig(self) -> Path:
        """Give the kubeconfig of a cluster admin."""
        return self.folder / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Give the log of the requests of the builds' service accounts, a JSON object a line."""
        return self.folder / "audit.log"

    def stop(self, name: str) -> None:
        """Stop one program, as a crash or an upgrade does."""
        self.programs[name].stop()

    def start(self, name: str) -> None:
        """Start one program again and wait until it is ready."""
        self.programs[name].start()

    @property
    def kubectl(self) -> Kubectl:
        """Give kubectl as an admin."""
        return Kubectl(self.tools / "bin" / "kubectl", self.kubeconfig, NAMESPACE)


@contextmanager
def control_plane(folder: Path, tools: Path, crds: Path) -> Iterator[ControlPlane]:
    """Run a control plane until the block ends; `tools` holds its programs, `crds` Argo's definitions."""
    write_keys(folder)
    (folder / "tokens.csv").write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n')
    ports = Ports(*free_ports(5))
    plane = ControlPlane(folder, tools, ports.api, _programs(folder, tools / "bin", ports))
    _write_kubeconfig(plane)
    try:
        for name in ("etcd", "kube-apiserver"):
            plane.start(name)
        _set_up(plane, crds)
        for name in PROGRAMS[2:]:
            plane.start(name)
        yield plane
    finally:
        for program in reversed(plane.programs.values()):
            program.stop()


@dataclass(frozen=True, slots=True)
class Ports:
    etcd: int
    etcd_peers: int
    api: int
    kwok: int
    kubelet: int


def free_ports(count: int) -> list[int]:
    """Find ports of loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind((LOOPBACK, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _programs(folder: Path, tools: Path, ports: Ports) -> dict[str, Program]:
    kubeconfig = f"--kubeconfig={folder / 'kubeconfig'}"
    quiet = [kubeconfig, "--leader-elect=false", f"--bind-address={LOOPBACK}"]

    def program(name: str, *options: str, ready: Callable[[], bool], **env: str) -> Program:
        return Program(name, [str(tools / name), *options], folder, ready, env)

    found = [
        program(
            "etcd", *_etcd_options(folder, ports), ready=_healthy(f"http://{LOOPBACK}:{ports.etcd}/health")
        ),
        program(
            "kube-apiserver",
            *_api_server_options(folder, ports),
            ready=_healthy(f"https://{LOOPBACK}:{ports.api}/readyz", folder / "ca.crt"),
        ),
        program(
            "kube-controller-manager",
            *quiet,
            "--secure-port=0",
            f"--controllers={CONTROLLERS}",
            f"--service-account-private-key-file={folder / 'sa.key'}",
            f"--root-ca-file={folder / 'ca.crt'}",
            "--enable-hostpath-provisioner",
            ready=_at_once,
        ),
        program("kube-scheduler", *quiet, "--secure-port=0", ready=_at_once),
        program(
            "kwok",
            kubeconfig,
            f"--config={folder / 'kwok.yaml'}",
            "--manage-nodes-with-label-selector=kubeci.test/pods=kwok",
            f"--server-address={LOOPBACK}:{ports.kwok}",
            f"--node-ip={LOOPBACK}",
            f"--node-port={ports.kwok}",
            f"--tls-cert-file={folder / 'server.crt'}",
            f"--tls-private-key-file={folder / 'server.key'}",
            ready=_healthy(f"http://{LOOPBACK}:{ports.kwok}/healthz"),
        ),
        program(
            "workflow-controller",
            kubeconfig,
            "--namespaced",
            f"--namespace={NAMESPACE}",
            "--executor-image=argoexec",
            ready=_at_once,
            LEADER_ELECTION_DISABLE="true",
            DEFAULT_REQUEUE_TIME="1s",
        ),
        _kubelet(folder, tools, ports),
    ]
    _write_kwok(folder)
    return {each.name: each for each in found}


def _kubelet(folder: Path, tools: Path, ports: Ports) -> Program:
    """Make the node whose pods really run; tests that need it start it, since it needs root."""
    argv = [sys.executable, str(HERE / "kubelet" / "kubelet.py"), str(folder / "kubeconfig"), str(folder)]
    ready = _healthy(f"https://{LOOPBACK}:{ports.kubelet}/healthz", folder / "ca.crt")
    return Program("kubelet", [*argv, str(ports.kubelet), str(tools / "argoexec")], folder, ready)


def _etcd_options(folder: Path, ports: Ports) -> list[str]:
    clients, peers = f"http://{LOOPBACK}:{ports.etcd}", f"http://{LOOPBACK}:{ports.etcd_peers}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_server_options(folder: Path, ports: Ports) -> list[str]:
    return [
        f"--etcd-servers=http://{LOOPBACK}:{ports.etcd}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",
        f"--secure-port={ports.api}",
        f"--tls-cert-file={folder / 'server.crt'}",
        f"--tls-private-key-file={folder / 'server.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--service-account-key-file={folder / 'sa.pub'}",
        f"--service-account-signing-key-file={folder / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=Node,RBAC",
        f"--audit-policy-file={HERE / 'audit-policy.yaml'}",
        f"--audit-log-path={folder / 'audit.log'}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def _write_kwok(folder: Path) -> None:
    """Write KWOK's configuration with the file of the pods' logs."""
    logs = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "logs"},
        "spec": {
            "logs": [
                {"containers": ["main"], "logsFile": str(HERE / "main.log"), "follow": False},
                {"containers": ["init", "wait"], "logsFile": str(HERE / "wait.log"), "follow": False},
            ]
        },
    }
    stages = (HERE / "kwok.yaml").read_text()
    (folder / "kwok.yaml").write_text(f"{stages}---\n{json.dumps(logs)}\n")


def _at_once() -> bool:
    return True


def _healthy(url: str, authority: Path | None = None) -> Callable[[], bool]:
    def ask() -> bool:
        context = ssl.create_default_context(cafile=authority) if authority else None
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=2, context=context) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return ask


def _set_up(plane: ControlPlane, crds: Path) -> None:
    """Create what the later programs need: Argo's definitions, a node, the builds' namespace, a storage class."""
    definitions = sorted(crds.glob("argoproj.io_*.yaml"))
    for definition in definitions:
        # Not applied: their size is over what the annotation of `apply` may hold.
        plane.kubectl("create", "--filename", str(definition))
    if definitions:
        plane.kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "--all")
    plane.kubectl.create(SETUP)


def _write_kubeconfig(plane: ControlPlane) -> None:
    """Write the admin's kubeconfig."""
    server = {
        "server": f"https://{LOOPBACK}:{plane.port}",
        "certificate-authority": str(plane.folder / "ca.crt"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "tests",
        "clusters": [{"name": "tests", "cluster": server}],
        "users": [{"name": "tests", "user": {"token": ADMIN_TOKEN}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
    }
    plane.kubeconfig.touch(mode=0o600)
    plane.kubeconfig.write_text(json.dumps(config))
