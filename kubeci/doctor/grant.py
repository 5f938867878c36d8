"""What grants the server its rights in the cluster, for the account that lacks them and for no other."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kubeci.cluster.access import Right

LEASES = "coordination.k8s.io"
"""The group whose rights came with replicas, after all others."""
ROLE = "kubeci"
"""The Role of `rbac/kubeci.yaml`."""
BINDING = "kubeci-server"
"""The binding of `examples/deploy/builds`, for an account of another namespace."""
_ACCOUNT = re.compile(r"system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})")


@dataclass(frozen=True, slots=True)
class Grant:
    """What mends rights that are missing, in words and as a command; an empty one where none is surely right."""

    remedy: str
    command: str = ""


def all_of_them(user: str, namespace: str) -> Grant:
    """Bind the Role to an account that has no right in the builds' namespace; `user` is its name, empty: not known."""
    account = _ACCOUNT.fullmatch(user)
    if account is None:
        return _ask_for_an_account(user, namespace)
    if account[1] == namespace and account[2] == ROLE:
        return _whole_file(namespace)
    command = (
        f"kubectl create rolebinding {BINDING} --namespace {namespace} --role {ROLE}"
        f" --serviceaccount {account[1]}:{account[2]}"
    )
    return Grant(
        f"bind the Role {ROLE} in {namespace} to this account; where the Role is missing too, or the binding is there,"
        " apply your overlay, which holds both (docs/install.md, step 5: kubectl apply --kustomize ours)",
        command,
    )


def some(user: str, namespace: str, lacking: Sequence[Right]) -> Grant:
    """Add rights to the Role of an account that has others of them."""
    account = _ACCOUNT.fullmatch(user)
    if account is None:
        return _ask_for_an_account(user, namespace)
    of_replicas_alone = all(right.group == LEASES for right in lacking)
    if account[1] == namespace and account[2] == ROLE:
        grant = _whole_file(namespace)
        return replace(grant, remedy=f"{_older(namespace)}: {grant.remedy}") if of_replicas_alone else grant
    command = f"kubectl patch role {ROLE} --namespace {namespace} --type json --patch {shlex.quote(_added(lacking))}"
    lacks = (
        f"the Role {ROLE} in {namespace} lacks what that of rbac/kubeci.yaml in kubeci's repository grants"
    )
    return Grant(
        f"{_older(namespace) if of_replicas_alone else lacks}: add it, or"
        " apply your overlay, which holds the Role (docs/install.md, step 5: kubectl apply --kustomize ours)",
        command,
    )


def _older(namespace: str) -> str:
    return f"the Role {ROLE} in {namespace} is that of an older version, from before leases were in rbac/kubeci.yaml"


def _whole_file(namespace: str) -> Grant:
    return Grant(
        "apply the Role of this account and its binding; rbac/ is a folder of kubeci's repository",
        f"kubectl apply --namespace {namespace} --filename rbac/kubeci.yaml",
    )


def _ask_for_an_account(user: str, namespace: str) -> Grant:
    if not user:
        return Grant(
            f"the Role {ROLE} of rbac/kubeci.yaml must be in {namespace}, and bound to the account of the server"
        )
    return Grant(
        "the server acts as a service account, which this user is not: ask for its rights with"
        f" --as system:serviceaccount:NAMESPACE:NAME; else the Role {ROLE} of rbac/kubeci.yaml must be in {namespace},"
        " and bound to this user"
    )


def _added(lacking: Sequence[Right]) -> str:
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in lacking:
        verbs.setdefault((right.group, right.resource), []).append(right.verb)
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": those}
        for (group, resource), those in verbs.items()
    ]
    return json.dumps([{"op": "add", "path": "/rules/-", "value": rule} for rule in rules])
