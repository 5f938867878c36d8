"""The file by which clients find the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubeci.local.cluster.users import User
    from kubeci.model.json import JsonObject

_NAME = "kubeci-local"


def kubeconfig(server: str, user: User, namespace: str) -> JsonObject:
    """Give a kubeconfig with one cluster at `server`, one user and one context, which is the current one."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": {"server": server}}],
        "users": [{"name": user.name, "user": {"token": user.token}}],
        "contexts": [
            {"name": _NAME, "context": {"cluster": _NAME, "user": user.name, "namespace": namespace}}
        ],
        "current-context": _NAME,
        "preferences": {},
    }
