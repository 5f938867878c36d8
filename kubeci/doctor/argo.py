"""Is Argo Workflows installed, whole and new enough, and does its controller work?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kubeci.cluster import discovery
from kubeci.doctor.argo_version import guess
from kubeci.doctor.check import SkippedError
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_CLUSTER, WORKFLOWS, Looked
from kubeci.doctor.times import ago
from kubeci.errors import Forbidden, UpstreamError
from kubeci.model.json import JsonObject

NEEDED = (WORKFLOWS, "workflowtemplates")
TAKEN_UP_SECONDS = 60
OLD_SECONDS = 7 * 86_400
FULL_CRDS = "kubectl apply --server-side --force-conflicts --kustomize 'github.com/argoproj/argo-workflows/manifests/base/crds/full?ref=VERSION'"
"""Argo's own way to install its full CRDs ("Installation", "Full CRDs"); VERSION is that of the controller, v4.1.4."""
INSTALL = "kubectl apply --namespace argo --server-side --filename argo-install.yaml"


async def kinds(looked: Looked) -> Sequence[Finding]:
    """Look for Argo's kinds in the cluster's discovery."""
    seen = await looked.cluster.needed(NO_CLUSTER)
    missing = [kind for kind in NEEDED if kind not in seen.argo_kinds]
    if not missing:
        return [Finding(Group.ARGO, "CRDs", State.OK, "argoproj.io/v1alpha1 is there")]
    return [
        Finding(
            Group.ARGO,
            "CRDs",
            State.WRONG,
            f"the cluster has no {' and no '.join(missing)} of argoproj.io/v1alpha1",
            "builds are Argo workflows: without its kinds none can be created",
            "install Argo Workflows, its CRDs and its controller, as docs/install.md, step 1, tells: argo-install.yaml is"
            " install.yaml of a release of version 4, and its namespace must be there",
            INSTALL,
        )
    ]


async def schema(looked: Looked) -> Sequence[Finding]:
    """Look whether the CRDs name a workflow's fields, and how new those are."""
    client = await looked.argo()
    try:
        published = await discovery.workflow_schema(client)
    except UpstreamError as error:
        if error.status != 404:
            raise
        told = "skipped: the cluster publishes no OpenAPI document of argoproj.io"
        return [Finding(Group.ARGO, "schema", State.UNKNOWN, told)]
    version = guess(published)
    if version is None:
        return [
            Finding(
                Group.ARGO,
                "schema",
                State.WARNING,
                "the CRDs are minimal: they name no field of a workflow",
                "the cluster takes misspelt fields silently; with full CRDs a build with one is refused, and told where",
                "apply Argo's full CRDs; VERSION is Argo's, such as v4.1.4",
                FULL_CRDS,
            )
        ]
    if version.lacks:
        return [
            Finding(
                Group.ARGO,
                "version",
                State.WARNING,
                f"by its fields Argo is {version.name}; it has no {version.lacks}",
                "`kubeci lint` knows newer fields than this cluster, which refuses definitions that have them",
                "upgrade Argo Workflows, its CRDs with it",
                FULL_CRDS,
            )
        ]
    return [Finding(Group.ARGO, "schema", State.OK, f"full CRDs; by their fields of Argo {version.name}")]


async def controller(looked: Looked) -> Sequence[Finding]:
    """Look for workflows that a controller has taken up, and for some that none has."""
    namespace, now = looked.subject.namespace, looked.subject.now()
    client = await looked.argo()
    try:
        untouched = await discovery.workflows(client, namespace, taken_up=False)
        taken = await discovery.workflows(client, namespace, taken_up=True)
    except Forbidden as error:
        raise SkippedError(f"our rights do not show the workflows of {namespace} (see rights)") from error
    waiting = [each for each in untouched if now - _created(each).timestamp() > TAKEN_UP_SECONDS]
    if waiting:
        oldest = min(waiting, key=_created)
        name = str(oldest["metadata"].get("name"))[:100]
        return [
            Finding(
                Group.ARGO,
                "controller",
                State.WRONG,
                f"nobody has taken up the workflow {name}, created {ago(_created(oldest), now)}",
                "Argo's controller makes pods of workflows: without it builds stay queued",
                f"is a workflow-controller running, and does it watch the namespace {namespace}?",
                "kubectl get pods --all-namespaces --selector app=workflow-controller",
            )
        ]
    newest = max(map(_created, taken), default=None)
    if newest is None or now - newest.timestamp() > OLD_SECONDS:
        seen = f"no workflow in {namespace}" if newest is None else f"none newer than {ago(newest, now)}"
        told = f"skipped: {seen}, which a controller would have taken up"
        return [Finding(Group.ARGO, "controller", State.UNKNOWN, told)]
    return [Finding(Group.ARGO, "controller", State.OK, f"it took up a workflow created {ago(newest, now)}")]


def _created(workflow: JsonObject) -> datetime:
    return datetime.fromisoformat(workflow["metadata"]["creationTimestamp"])
