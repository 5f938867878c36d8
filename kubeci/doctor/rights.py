"""May the server do in the cluster what it does there? `rbac/kubeci.yaml` grants exactly these rights."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from kubeci.cluster.access import Right, may, own_name
from kubeci.cluster.client import Client
from kubeci.cluster.discovery import Namespace, find_namespace
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.grant import LEASES, Grant, all_of_them, some
from kubeci.doctor.subject import NO_CLUSTER, Looked
from kubeci.errors import Forbidden
from kubeci.store.engine import is_shared

ARGO = "argoproj.io"
_SUBMIT, _LOOK, _FOLLOW = "submitting builds", "looking at a build", "reports of builds to GitHub"
_LEAD = "agreeing which replica reports builds to GitHub, without which none does"
_CACHES, _CLEAR = "cache volumes", "clearing cache volumes"
_TEMPLATES = "definitions that refer to a WorkflowTemplate as a whole"

NEEDED: tuple[tuple[Right, str], ...] = (
    (Right(ARGO, "workflows", "create"), _SUBMIT),
    (Right(ARGO, "workflows", "get"), _LOOK),
    (Right(ARGO, "workflows", "list"), _FOLLOW),
    (Right(ARGO, "workflows", "watch"), _FOLLOW),
    (Right(ARGO, "workflows", "patch"), "cancelling builds, and the annotations that find their check-run"),
    (Right(ARGO, "workflowtemplates", "get"), _TEMPLATES),
    (Right("", "pods/log", "get"), "annotations from logs, and the end of a failed step's output"),
    (Right("", "persistentvolumeclaims", "get"), _CACHES),
    (Right("", "persistentvolumeclaims", "list"), _CLEAR),
    (Right("", "persistentvolumeclaims", "create"), _CACHES),
    (Right("", "persistentvolumeclaims", "delete"), _CLEAR),
    (Right("", "pods", "list"), _CLEAR),
    (Right("", "pods", "delete"), _CLEAR),
)
"""Each right that the server uses in its namespace, with what it carries; a test holds them equal to `rbac/kubeci.yaml`."""

LEADING: tuple[tuple[Right, str], ...] = tuple(
    (Right(LEASES, "leases", verb), _LEAD) for verb in ("get", "create", "update")
)
"""The same of a server whose store several replicas may share."""

FEATURES = frozenset({carries for _, carries in NEEDED} - {_SUBMIT, _LOOK, _FOLLOW})
"""What does not work without a right, while builds run."""

CLUSTER_TEMPLATES = Right(ARGO, "clusterworkflowtemplates", "get")


async def rights(looked: Looked) -> Sequence[Finding]:
    """Ask for each right, of ourselves or of the user that was named."""
    subject = looked.subject
    namespace = subject.namespace
    await looked.cluster.needed(NO_CLUSTER)
    client = await looked.client.get()
    needed = (*NEEDED, *LEADING) if is_shared(subject.options.store_url) else NEEDED
    try:
        lacking = await _lacking(client, namespace, needed, subject.as_user)
    except Forbidden as error:
        if error.status != 403 or not subject.as_user:
            raise
        told = f"skipped: we may not ask for {subject.as_user}: it takes the right to impersonate users"
        return [Finding(Group.RIGHTS, "rights", State.UNKNOWN, told)]
    if not lacking:
        told = f"{subject.as_user or 'this account'} has all {len(needed)} that are used in {namespace}"
        return [Finding(Group.RIGHTS, "rights", State.OK, told)]
    user = subject.as_user or await own_name(client)
    of = user or "this account"
    everything = len(lacking) == len(needed)
    missing = [] if everything else [right for right, _ in lacking]
    grant = await _grant(client, user, namespace, missing)
    if everything:
        return [_missing("rights", f"{of} has none in {namespace}", "all that the server does there", grant)]
    by_feature: dict[str, list[Right]] = {}
    for right, carries in lacking:
        by_feature.setdefault(carries, []).append(right)
    return [
        _missing(_name(first), f"{of} lacks {', '.join(map(str, (first, *more)))}", carries, grant)
        for carries, (first, *more) in by_feature.items()
    ]


async def _grant(client: Client, user: str, namespace: str, lacking: Sequence[Right]) -> Grant:
    """Give what grants these rights; none: all that the server needs."""
    if await find_namespace(client, namespace) in {Namespace.MISSING, Namespace.ENDING}:
        return Grant("rights are granted in a namespace: that comes first (see cluster)")
    return some(user, namespace, lacking) if lacking else all_of_them(user, namespace)


async def _lacking(
    client: Client, namespace: str, needed: Sequence[tuple[Right, str]], as_user: str
) -> list[tuple[Right, str]]:
    asked = (may(client, right, namespace, as_user=as_user) for right, _ in needed)
    granted = await asyncio.gather(*asked)
    return [each for each, there in zip(needed, granted, strict=True) if not there]


def _name(right: Right) -> str:
    return f"{right.verb} {right.resource}"


def _missing(name: str, found: str, carries: str, grant: Grant) -> Finding:
    return Finding(
        Group.RIGHTS,
        name,
        State.WARNING if carries in FEATURES else State.WRONG,
        found,
        f"it carries {carries}",
        grant.remedy,
        grant.command,
    )


async def cluster_templates(looked: Looked) -> Sequence[Finding]:
    """Ask for the one right beyond the namespace, which only some need."""
    await looked.cluster.needed(NO_CLUSTER)
    client, as_user = await looked.client.get(), looked.subject.as_user
    name = "ClusterWorkflowTemplates"
    try:
        granted = await may(client, CLUSTER_TEMPLATES, "", as_user=as_user)
    except Forbidden as error:
        return [Finding(Group.RIGHTS, name, State.UNKNOWN, f"skipped: {error}")]
    needed_by = "only definitions that refer to one as a whole need it (rbac/cluster-wide.yaml)"
    told = "may be read" if granted else f"may not be read; {needed_by}"
    return [Finding(Group.RIGHTS, name, State.OK, told)]
