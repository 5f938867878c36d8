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
_FINISHED = ("Succeeded", "Failed")


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
    """Let a claim that is being deleted go, as soon as no unfinished pod mounts it."""
    if change.resource not in {CLAIMS, PODS}:
        return
    waiting = [claim for claim in objects.stored(CLAIMS, None) if claim.deleting]
    if not waiting:
        return
    used = {(pod.key[0], name) for pod in objects.stored(PODS, None) for name in _mounted(pod.object)}
    for claim in waiting:
        if claim.key not in used:
            _drop_finalizer(objects, claim, CLAIM_PROTECTION)


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
        _drop_finalizer(objects, owner, FOREGROUND)


def _drop_finalizer(objects: Objects, target: Stored, finalizer: str) -> None:
    obj = target.object
    finalizers = obj["metadata"].get("finalizers", [])
    if finalizer in finalizers:
        obj["metadata"]["finalizers"] = [other for other in finalizers if other != finalizer]
        objects.replace(target.resource, *target.key, obj)


def _mounted(pod: JsonObject) -> list[str]:
    if pod.get("status", {}).get("phase") in _FINISHED:
        return []
    volumes = pod.get("spec", {}).get("volumes") or []
    return [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes
        if "persistentVolumeClaim" in volume
    ]


def _find(objects: Objects, uid: str) -> Stored | None:
    return next(
        (found for kind in RESOURCES for found in objects.stored(kind, None) if found.uid == uid), None
    )
