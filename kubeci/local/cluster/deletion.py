"""How an object is deleted: options, preconditions, and the time a pod is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from kubeci.local.cluster.resources import PODS
from kubeci.local.cluster.status import precondition_failed

if TYPE_CHECKING:
    from kubeci.local.cluster.history import Stored
    from kubeci.local.cluster.resources import Resource
    from kubeci.model.json import JsonObject

Propagation: TypeAlias = Literal["Background", "Foreground", "Orphan"]

_POD_GRACE_SECONDS = 30  # what Kubernetes gives a pod that names no other time


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete, and what must hold for it: an object with this uid, at this resource version ("" asks nothing)."""

    propagation: Propagation = "Background"
    uid: str = ""
    resource_version: str = ""
    grace_seconds: int | None = None


BACKGROUND = DeleteOptions()
FOREGROUND = DeleteOptions(propagation="Foreground")
AT_ONCE = DeleteOptions(grace_seconds=0)


def check_preconditions(before: Stored, options: DeleteOptions) -> None:
    """Check that the object is the one the client means; raises ApiError 409."""
    name = before.key[1]
    if options.uid and options.uid != before.uid:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({before.uid}). "
            "The object might have been deleted and then recreated"
        )
        raise precondition_failed(before.resource, name, why)
    if options.resource_version and options.resource_version != str(before.version):
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion "
            f"in record ({before.version}). The object might have been modified"
        )
        raise precondition_failed(before.resource, name, why)


def grace_seconds(resource: Resource, obj: JsonObject, options: DeleteOptions) -> int:
    """Give the time a pod is left to end by itself: none unless it runs on a node."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if resource is not PODS or not spec.get("nodeName") or status.get("phase") in {"Succeeded", "Failed"}:
        return 0
    if options.grace_seconds is not None:
        return options.grace_seconds
    wanted: int = spec.get("terminationGracePeriodSeconds") or _POD_GRACE_SECONDS
    return wanted
