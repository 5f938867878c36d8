"""The file by which clients find the cluster."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from kubeci.local.cluster.users import User
    from kubeci.model.json import JsonObject

_NAME = "kubeci-local"


def kubeconfig(server: str, user: User, namespace: str) -> JsonObject:
    """Give a kubeconfig with one cluster at `server`, one user and one context, which is the current one."""
    cluster = {"server": server, "certificate-authority-data": _authority()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": user.name, "user": {"token": user.token}}],
        "contexts": [
            {"name": _NAME, "context": {"cluster": _NAME, "user": user.name, "namespace": namespace}}
        ],
        "current-context": _NAME,
        "preferences": {},
    }


@cache
def _authority() -> str:
    """Give an authority that certifies nothing: without one, clients of this plain server read all of the machine's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = made.not_valid_after(now + timedelta(days=1)).sign(key, SHA256())
    return base64.b64encode(certificate.public_bytes(Encoding.PEM)).decode()
