"""Objects that the cases create."""

from __future__ import annotations

from typing import Any

SPEC = {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "busybox"}}]}
CLAIM_SPEC = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "storageClassName": "fast",
}
# No scheduler takes it: the pod stays as it was created.
POD_SPEC = {"schedulerName": "nobody", "containers": [{"name": "main", "image": "busybox"}]}


def workflow(name: str = "@", spec: Any = SPEC, **metadata: Any) -> Any:
    """Give a workflow; an empty name is left out."""
    return _object("argoproj.io/v1alpha1", "Workflow", name, metadata) | {"spec": spec}


def template(name: str = "@", **metadata: Any) -> Any:
    """Give a workflow template."""
    return _object("argoproj.io/v1alpha1", "WorkflowTemplate", name, metadata) | {"spec": SPEC}


def pod(name: str = "@", spec: Any = POD_SPEC, **metadata: Any) -> Any:
    """Give a pod."""
    return _object("v1", "Pod", name, metadata) | {"spec": spec}


def claim(name: str = "@", spec: Any = None, **metadata: Any) -> Any:
    """Give a claim; `spec` is changed in the parts that are given."""
    return _object("v1", "PersistentVolumeClaim", name, metadata) | {"spec": {**CLAIM_SPEC, **(spec or {})}}


def lease(name: str = "@", spec: Any = None, **metadata: Any) -> Any:
    """Give a lease."""
    held = {"holderIdentity": "one", "leaseDurationSeconds": 15}
    return _object("coordination.k8s.io/v1", "Lease", name, metadata) | {"spec": {**held, **(spec or {})}}


def _object(version: str, kind: str, name: str, metadata: Any) -> Any:
    named = {"name": name} if name else {}
    return {"apiVersion": version, "kind": kind, "metadata": {**named, **metadata}}
