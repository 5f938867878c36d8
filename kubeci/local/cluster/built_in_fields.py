"""The fields of claims and leases (Kubernetes' API reference); those of pods are nobody's to write but the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kubeci.local.cluster.fields import FieldProblem, Path
from kubeci.local.cluster.resources import CLAIMS, LEASES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubeci.local.cluster.resources import Resource
    from kubeci.model.json import JsonObject

Fields: TypeAlias = "Mapping[str, Fields | None]"
"""Fields of an object (or of each object of a list); None takes whatever stands there."""


def _any(*names: str) -> dict[str, Fields | None]:
    return dict.fromkeys(names)


_OBJECT: Final[Fields] = {
    **_any("apiVersion", "kind"),
    "metadata": {
        **_any("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation"),
        **_any(
            "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations"
        ),
        **_any("finalizers", "managedFields"),
        "ownerReferences": _any("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"),
    },
}
_SOURCE: Final = _any("apiGroup", "kind", "name")
FIELDS: Final[Mapping[Resource, Fields]] = {
    CLAIMS: {
        **_OBJECT,
        "spec": {
            **_any(
                "accessModes", "volumeName", "storageClassName", "volumeMode", "volumeAttributesClassName"
            ),
            "resources": _any("limits", "requests"),
            "selector": {"matchLabels": None, "matchExpressions": _any("key", "operator", "values")},
            "dataSource": _SOURCE,
            "dataSourceRef": {**_SOURCE, "namespace": None},
        },
        "status": None,
    },
    LEASES: {
        **_OBJECT,
        "spec": _any(
            "holderIdentity",
            "leaseDurationSeconds",
            "acquireTime",
            "renewTime",
            "leaseTransitions",
            "strategy",
            "preferredHolder",
        ),
    },
}


def unknown(resource: Resource, obj: JsonObject) -> list[FieldProblem]:
    """Give every field of a claim or a lease that its kind does not have, in the order of the object."""
    fields = FIELDS.get(resource)
    return [FieldProblem(path, "unknown") for path in _unknown(obj, fields, ())] if fields else []


def _unknown(value: Any, fields: Fields, path: Path) -> Iterator[Path]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _unknown(one, fields, (*path, index))
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in fields:
                yield (*path, key)
            elif (inner := fields[key]) is not None:
                yield from _unknown(one, inner, (*path, key))
