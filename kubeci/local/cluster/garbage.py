"""What Kubernetes' controllers clean up: dependents of what is gone, owners that waited, claims nobody uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeci.local.cluster.resources import CLAIMS, PODS, RESOURCES

if TYPE_CHECKING:
    from kubeci.local.cluster.history import Change, Stored
    from kubeci.local.cluster.objects import Objects
    from kubeci.model.json import JsonObject

FOREGROUND = "foregroundDeletion"
CLAIM_PROTECTION = "kubernetes.io/pvc-protection"


def collect(objects: Objects, change: Change) -> None:
    """Delete the dependents of what was deleted, and finish its owners that wait for that in the foreground."""
    if change.type != "DELETED":
        if change.stored.deleting:
            _finish_foreground(objects, change.stored)
        return
    for dependent in dependents(objects, change.stored.uid):
        if not any(_find(objects, uid) for uid in dependent.owners):
            objects.delete(dependent.resource, *dependent.key)
    for uid in change.stored.owners:
        owner = _find(objects, uid)
        if owner and owner.deleting:
            _finish_foreground(objects, owner)


def protect_claims(objects: Objects, change: Change) -> None:
    """Let a claim that is being deleted go, as soon as no pod on a node mounts it.

    A finished pod holds its claims until it is deleted, a pod that waits for a node does not (Kubernetes' controller of
    `kubernetes.io/pvc-protection`).
    """
    if change.resource not in {CLAIMS, PODS}:
        return
    waiting = [claim for claim in objects.stored(CLAIMS, None) if claim.deleting]
    if not waiting:
        return
    pods = (pod.object for pod in objects.stored(PODS, None))
    used = {
        (pod["metadata"]["namespace"], name)
        for pod in pods
        if (pod.get("spec") or {}).get("nodeName")
        for name in mounted_claims(pod)
    }
    for claim in waiting:
        if claim.key not in used:
            drop_finalizer(objects, claim, CLAIM_PROTECTION)


def dependents(objects: Objects, uid: str) -> list[Stored]:
    """Give the objects that name `uid` as an owner."""
    return [found for kind in RESOURCES for found in objects.stored(kind, None) if uid in found.owners]


def orphan(objects: Objects, uid: str) -> None:
    """Take the owner `uid` out of its dependents, so that they outlive it."""
    for dependent in dependents(objects, uid):
        obj = dependent.object
        metadata = obj["metadata"]
        metadata["ownerReferences"] = [owner for owner in metadata["ownerReferences"] if owner["uid"] != uid]
        objects.replace(dependent.resource, *dependent.key, obj)


def _finish_foreground(objects: Objects, owner: Stored) -> None:
    if FOREGROUND not in owner.object["metadata"].get("finalizers", []):
        return
    left = dependents(objects, owner.uid)
    for dependent in left:
        if not dependent.deleting:
            objects.delete(dependent.resource, *dependent.key)
    if not left:
        drop_finalizer(objects, owner, FOREGROUND)


def drop_finalizer(objects: Objects, target: Stored, finalizer: str) -> None:
    """Take one finalizer off an object, which lets it go when it is being deleted and this was its last."""
    obj = target.object
    finalizers = obj["metadata"].get("finalizers", [])
    if finalizer in finalizers:
        obj["metadata"]["finalizers"] = [other for other in finalizers if other != finalizer]
        objects.replace(target.resource, *target.key, obj)


def mounted_claims(pod: JsonObject) -> list[str]:
    """Give the names of the claims among a pod's volumes."""
    sources = [volume.get("persistentVolumeClaim") for volume in (pod.get("spec") or {}).get("volumes") or []]
    return [
        str(source["claimName"]) for source in sources if isinstance(source, dict) and "claimName" in source
    ]


def _find(objects: Objects, uid: str) -> Stored | None:
    return next(
        (found for kind in RESOURCES for found in objects.stored(kind, None) if found.uid == uid), None
    )
