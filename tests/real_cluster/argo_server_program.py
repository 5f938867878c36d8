"""Argo's own argo-server as a process of this machine, beside a real cluster."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from certificates import write_keys
from control_plane import LOOPBACK, free_ports
from given_cluster import RealCluster
from processes import Program

ACCOUNT = "asks-argo-server"
CERTIFICATE = "argo-server-certificate"
RIGHTS = f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {ACCOUNT}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: {ACCOUNT}}}
rules:
- {{apiGroups: [argoproj.io], resources: [workflows], verbs: [get, update]}}
- {{apiGroups: [""], resources: [pods], verbs: [delete]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {ACCOUNT}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {ACCOUNT}}}
subjects: [{{kind: ServiceAccount, name: {ACCOUNT}}}]
"""


@dataclass(frozen=True, slots=True)
class RealArgoServer:
    """Its address, the authority of its certificate (PEM), and the token of an account with the rights that docs/settings.md names."""

    url: str
    authority: str
    token: str = field(repr=False)
    program: Program


@contextmanager
def real_argo_server(cluster: RealCluster, folder: Path) -> Iterator[RealArgoServer]:
    """Run an argo-server with a certificate of ours until the block ends; who asks acts with the rights of his token."""
    write_keys(folder)
    cluster.kubectl.create(RIGHTS)
    files = (f"--cert={folder / 'server.crt'}", f"--key={folder / 'server.key'}")
    cluster.kubectl("create", "secret", "tls", CERTIFICATE, *files)
    (port,) = free_ports(1)
    url = f"https://{LOOPBACK}:{port}"
    # The program of `make cluster-tools` listens on loopback alone; Argo's own has no option for that.
    options = (
        f"--kubeconfig={cluster.kubeconfig}",
        f"--namespace={cluster.namespace}",
        "--namespaced",
        "--auth-mode=client",
        f"--tls-certificate-secret-name={CERTIFICATE}",
        f"--port={port}",
    )
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    program = Program(
        "argo-server",
        [str(cluster.tools / "argo"), "server", *options],
        folder,
        lambda: _answers(url, context),
        # Whose token it is asked with is asked for at the address that this names, whatever the option says.
        {"KUBECONFIG": str(cluster.kubeconfig)},
    )
    program.start()
    try:
        token = cluster.kubectl("create", "token", ACCOUNT).strip()
        yield RealArgoServer(url, (folder / "ca.crt").read_text(), token, program)
    finally:
        program.stop()
        for kind in ("rolebinding", "role", "serviceaccount"):
            cluster.kubectl("delete", kind, ACCOUNT)
        cluster.kubectl("delete", "secret", CERTIFICATE)


def _answers(url: str, context: ssl.SSLContext) -> bool:
    request = urllib.request.Request(f"{url}/api/v1/version")
    try:
        with urllib.request.urlopen(request, timeout=2, context=context):
            return True
    except urllib.error.HTTPError as error:
        # Who brings no token is told so; before that its two halves do not hear each other, which is 503.
        with error:
            return error.code == HTTPStatus.UNAUTHORIZED
    except (urllib.error.URLError, OSError):
        return False
