"""What the API server checks of claims and leases beyond their metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from kubeci.local.cluster import gojson
from kubeci.local.cluster.fields import undecodable
from kubeci.local.cluster.resources import CLAIMS, LEASES, PODS
from kubeci.local.cluster.status import Cause, invalid
from kubeci.local.cluster.validation import subdomain_problem

if TYPE_CHECKING:
    from kubeci.local.cluster.resources import Resource
    from kubeci.model.json import JsonObject

T = TypeVar("T", dict[str, Any], list[Any])

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_QUANTITY = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_SUFFIXES = r"|n|u|m|k|[KMGTPE]i?|[eE][-+]?[0-9]+"
_STORAGE = "spec.resources[storage]"
_POD_STAYS = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)
_IMMUTABLE = (
    "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)


def decode(resource: Resource, obj: JsonObject) -> None:
    """Check what the server needs to read the object at all; raises ApiError 400."""
    if resource.custom:
        return  # their schema decides
    spec = _read(resource, obj, "spec", dict)
    if resource is PODS:
        for key in ("initContainers", "containers", "volumes"):
            if not all(
                isinstance(item, dict) and isinstance(item.get("name"), str)
                for item in _read(resource, spec, key, list)
            ):
                raise undecodable(resource, f"json: cannot unmarshal into Go struct field PodSpec.{key}")
        _read(resource, obj, "status", dict)
    if resource is LEASES:
        for key in ("acquireTime", "renewTime"):
            _check_time(resource, spec.get(key))
        _of_type(resource, spec, int, "leaseDurationSeconds", "leaseTransitions")
        _of_type(resource, spec, str, "holderIdentity")
    if resource is CLAIMS:
        _decode_claim(spec)


def _of_type(resource: Resource, spec: JsonObject, wanted: type, *keys: str) -> None:
    for key in keys:
        if not isinstance(spec.get(key), wanted | None) or isinstance(spec.get(key), bool):
            raise undecodable(
                resource, f"json: cannot unmarshal into Go struct field {resource.kind}Spec.{key}"
            )


def _decode_claim(spec: JsonObject) -> None:
    _read(CLAIMS, spec, "accessModes", list)
    _read(CLAIMS, _read(CLAIMS, spec, "resources", dict), "requests", dict)
    if not isinstance(spec.get("storageClassName"), str | None):
        why = "json: cannot unmarshal into Go struct field PersistentVolumeClaimSpec.spec.storageClassName"
        raise undecodable(CLAIMS, why)
    if (size := _size(spec)) is not None:
        number = re.fullmatch(_QUANTITY, str(size))
        if not number or not re.fullmatch(_SUFFIXES, number[2]):
            raise undecodable(CLAIMS, f"quantities must match the regular expression '{_QUANTITY}'")


def _read(resource: Resource, obj: JsonObject, key: str, wanted: type[T]) -> T:
    """Give a field, an empty value when it is not there; raises ApiError 400 for one of another type."""
    value = obj.get(key)
    if not isinstance(value, wanted | None):
        raise undecodable(resource, f"json: cannot unmarshal into Go struct field {resource.kind}.{key}")
    return value or wanted()


def without_nulls(value: Any) -> Any:
    """Give a value without the fields that are null: to the server they are as if they were not there."""
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    if isinstance(value, dict):
        # The items of a loop may be any JSON: their schema keeps what it does not know.
        return {
            key: one if key == "withItems" else without_nulls(one)
            for key, one in value.items()
            if one is not None
        }
    return value


def complete(
    resource: Resource,
    obj: JsonObject,
    before: JsonObject | None,
    storage_classes: Mapping[str, bool] = MappingProxyType({}),
) -> None:
    """Fill in what the server gives a pod or a claim that a client writes: `before` is what it replaces."""
    if resource not in {PODS, CLAIMS}:
        return
    if before is not None:
        obj["status"] = before.get("status") or {}  # it has a path of its own
    if resource is CLAIMS:
        spec = obj["spec"] = {"volumeMode": "Filesystem", **(obj.get("spec") or {})}
        for amounts in (spec.get("resources") or {}).values():
            amounts |= {name: str(amount) for name, amount in amounts.items()}
        default = next((name for name, is_default in storage_classes.items() if is_default), None)
        if default and "storageClassName" not in spec:
            spec["storageClassName"] = default


def validate(resource: Resource, name: str, obj: JsonObject, before: JsonObject | None) -> None:
    """Check a claim's rules at its creation, that its spec and a pod's stay as they are, a lease's; raises ApiError 422."""
    spec = obj.get("spec") or {}
    if resource is LEASES:
        causes = _lease_causes(spec)
    elif resource is PODS and before is not None and spec != (before.get("spec") or {}):
        causes = [Cause("spec", _POD_STAYS, "FieldValueForbidden")]
    elif resource is not CLAIMS:
        return
    else:
        causes = _claim_causes(spec) if before is None else _claim_changes(before["spec"], spec)
    if causes:
        raise invalid(resource, name, causes)


def _lease_causes(spec: JsonObject) -> list[Cause]:
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    causes = []
    if seconds is not None and seconds <= 0:
        why = f"Invalid value: {seconds}: must be greater than 0"
        causes.append(Cause("spec.leaseDurationSeconds", why))
    if transitions is not None and transitions < 0:
        why = f"Invalid value: {transitions}: must be greater than or equal to 0"
        causes.append(Cause("spec.leaseTransitions", why))
    return causes


def _claim_causes(spec: JsonObject) -> list[Cause]:
    causes = []
    if (mode := spec.get("volumeMode")) not in {None, "Block", "Filesystem"}:
        why = f'Unsupported value: "{mode}": supported values: "Block", "Filesystem"'
        causes.append(Cause("spec.volumeMode", why, "FieldValueNotSupported"))
    modes = spec.get("accessModes") or []
    if not modes:
        message = "Required value: at least 1 access mode is required"
        causes.append(Cause("spec.accessModes", message, "FieldValueRequired"))
    supported = ", ".join(f'"{mode}"' for mode in _ACCESS_MODES)
    causes += [
        Cause(
            "spec.accessModes",
            f'Unsupported value: "{mode}": supported values: {supported}',
            "FieldValueNotSupported",
        )
        for mode in modes
        if mode not in _ACCESS_MODES
    ]
    storage_class = spec.get("storageClassName")
    if storage_class and (problem := subdomain_problem(storage_class)):
        causes.append(Cause("spec.storageClassName", problem))
    size = _size(spec)
    if size is None:
        causes.append(Cause(_STORAGE, "Required value", "FieldValueRequired"))
    elif str(size).startswith("-") or not re.search("[1-9]", re.split("[eE]", str(size))[0]):
        causes.append(Cause(_STORAGE, f'Invalid value: "{size}": must be greater than zero'))
    return causes


def _claim_changes(old: JsonObject, new: JsonObject) -> list[Cause]:
    if old == new:
        return []
    # The server shows a diff of its own struct: here for the one change somebody makes, the size.
    line = 5 + len(old.get("accessModes") or [])
    diff = (
        f'\n@@ -{line},7 +{line},7 @@\n  "Resources": {{\n   "Limits": null,\n   "Requests": {{\n'
        f'-   "storage": "{_size(old)}"\n+   "storage": "{_size(new)}"\n   }}\n  }},\n  "VolumeName": "",\n'
    )
    return [Cause("spec", f"{_IMMUTABLE}{diff}", "FieldValueForbidden")]


def _size(spec: JsonObject) -> Any:
    requests = (spec.get("resources") or {}).get("requests") or {}
    return requests.get("storage")


def _check_time(resource: Resource, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise undecodable(resource, "json: cannot unmarshal into Go value of type string")
    try:
        gojson.check_micro_time(value)
    except gojson.ParseError as error:
        raise undecodable(resource, str(error)) from None
