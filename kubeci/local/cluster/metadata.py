"""The part of an object that the API server keeps itself: names, labels, uid, times, generation."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from kubeci.local.cluster import validation
from kubeci.local.cluster.garbage import CLAIM_PROTECTION
from kubeci.local.cluster.resources import CLAIMS, LEASES, PODS
from kubeci.local.cluster.status import Cause, bad_request, invalid

if TYPE_CHECKING:
    from datetime import datetime

    from kubeci.local.cluster.resources import Resource
    from kubeci.local.cluster.status import ApiError
    from kubeci.model.json import JsonObject

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: a generated name spells no word
_GENERATED_PREFIX_LIMIT = 58  # 63 less the suffix of five
_KEPT = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)
_DROPPED_WHEN_EMPTY = (
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "generateName",
    "managedFields",
)
_SHAPE: dict[str, type] = {
    **dict.fromkeys(("labels", "annotations"), dict),
    **dict.fromkeys(("finalizers", "ownerReferences"), list),
    **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion"), str),
}


def timestamp(moment: datetime) -> str:
    """Write a time as Kubernetes does: UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def born(resource: Resource, namespace: str, obj: JsonObject, now: datetime) -> JsonObject:
    """Give the object as created: name, namespace, uid, creation time and generation set, its metadata checked.

    Raises ApiError 422 for a name or labels that Kubernetes does not accept. `obj` is changed.
    """
    metadata = shaped(resource, obj)
    name(metadata)
    metadata |= {"namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": timestamp(now)}
    for key in ("resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
        metadata.pop(key, None)
    if resource not in {CLAIMS, LEASES}:  # these two count no generations
        metadata["generation"] = 1
    if resource is CLAIMS:
        metadata["finalizers"] = [*(metadata.get("finalizers") or []), CLAIM_PROTECTION]
        obj = {**obj, "status": {"phase": "Pending"}}
        obj["spec"] = {"volumeMode": "Filesystem", **(obj.get("spec") or {})}
    if resource is PODS:
        obj = {**obj, "status": {"phase": "Pending", **(obj.get("status") or {})}}
    validation.check(resource, obj)
    return _tidy(resource, obj)


def name(metadata: JsonObject) -> None:
    """Give the object a name made from its `generateName`, when it has none."""
    if not metadata.get("name") and metadata.get("generateName"):
        suffix = "".join(secrets.choice(SUFFIX_ALPHABET) for _ in range(5))
        metadata["name"] = metadata["generateName"][:_GENERATED_PREFIX_LIMIT] + suffix


def updated(resource: Resource, old: JsonObject, new: JsonObject) -> JsonObject:
    """Give the object as it is after an update: what a client cannot change is as before, the generation counted.

    The generation of a custom resource without a status subresource counts every change outside metadata, that of a
    pod changes of the spec.
    """
    metadata, before = shaped(resource, new), old["metadata"]
    _check_unchanged(resource, before, metadata)
    for key in _KEPT:
        metadata.pop(key, None)
    metadata |= {
        key: before[key] for key in (*_KEPT, "name", "namespace", "resourceVersion") if key in before
    }
    validation.check(resource, new)
    new = _tidy(resource, new)
    if "generation" in before and _counted(resource, old) != _counted(resource, new):
        metadata["generation"] = before["generation"] + 1
    return new


def _check_unchanged(resource: Resource, before: JsonObject, new: JsonObject) -> None:
    """Check what a client may leave out, but not change; raises ApiError 422."""
    causes = [
        Cause(f"metadata.{key}", f'Invalid value: "{new[key]}": field is immutable')
        for key in ("uid", "creationTimestamp")
        if new.get(key) and new[key] != before[key]
    ]
    added = [one for one in new.get("finalizers") or [] if one not in (before.get("finalizers") or [])]
    if added and "deletionTimestamp" in before:
        quoted = ", ".join(f'"{one}"' for one in added)
        why = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{quoted}}}"
        causes.append(Cause("metadata.finalizers", f"Forbidden: {why}", "FieldValueForbidden"))
    if causes:
        raise invalid(resource, before["name"], causes)


def shaped(resource: Resource, obj: JsonObject) -> JsonObject:
    """Give the object's metadata, made when absent; raises ApiError 400 when it is not of the shape all objects have."""
    metadata: Any = {} if obj.get("metadata") is None else obj["metadata"]
    if not isinstance(metadata, dict):
        raise _unreadable(resource, "metadata")
    obj["metadata"] = metadata
    for key, wanted in _SHAPE.items():
        if not isinstance(metadata.get(key), wanted | None):
            raise _unreadable(resource, f"metadata.{key}")
    for key in ("labels", "annotations"):
        if not all(isinstance(value, str) for value in (metadata.get(key) or {}).values()):
            raise _unreadable(resource, f"metadata.{key}")
    for owner in metadata.get("ownerReferences") or []:
        if not isinstance(owner, dict) or not isinstance(owner.get("uid"), str):
            raise _unreadable(resource, "metadata.ownerReferences")
    return metadata


def _unreadable(resource: Resource, path: str) -> ApiError:
    kind, version = resource.kind, resource.version
    why = f"json: cannot unmarshal into Go struct field ObjectMeta.{path}"
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def _counted(resource: Resource, obj: JsonObject) -> JsonObject:
    if resource is PODS:
        return {"spec": obj.get("spec")}
    return {key: value for key, value in obj.items() if key not in {"metadata", "kind", "apiVersion"}}


def _tidy(resource: Resource, obj: JsonObject) -> JsonObject:
    """Give type and kind, and leave out of the metadata what Go leaves out when it is empty."""
    metadata = obj["metadata"]
    for key in _DROPPED_WHEN_EMPTY:
        if not metadata.get(key):
            metadata.pop(key, None)
    return {**obj, "apiVersion": resource.api_version, "kind": resource.kind}
