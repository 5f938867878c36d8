"""The claims of a pod: what keeps it from a node, how a claim is bound, and where what it holds is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from pathlib import Path

from kubeci.local.cluster.garbage import CLAIM_PROTECTION, drop_finalizer, mounted_claims
from kubeci.local.cluster.objects import Objects
from kubeci.local.cluster.resources import CLAIMS
from kubeci.local.cluster.status import ApiError, Expired
from kubeci.model.json import JsonObject


def obstacle(objects: Objects, pod: JsonObject) -> str:
    """Say, in the scheduler's words, which of its claims keeps a pod from a node; empty when none does."""
    for name in mounted_claims(pod):
        try:
            claim = objects.one(CLAIMS, pod["metadata"]["namespace"], name)
        except ApiError:
            return f'persistentvolumeclaim "{name}" not found'
        if claim.deleting:
            return f'persistentvolumeclaim "{name}" is being deleted'
    return ""


async def obstacles(objects: Objects, pod: JsonObject) -> AsyncGenerator[str, None]:
    """Give what keeps a pod from a node, each time that some claim changed, until nothing does."""
    while found := obstacle(objects, pod):
        changes = objects.cursor(CLAIMS, pod["metadata"]["namespace"], objects.version)
        yield found
        with suppress(Expired):  # the history was cleared: what stands now is what counts
            while not changes.take():
                await changes.wait()


def bind(objects: Objects, pod: JsonObject) -> None:
    """Bind the claims of a pod that came to a node, as a provisioner that waits for the first consumer does."""
    namespace = pod["metadata"]["namespace"]
    for name in mounted_claims(pod):
        claim = objects.get(CLAIMS, namespace, name)
        if (claim.get("status") or {}).get("phase") == "Bound":
            continue
        spec = claim.get("spec") or {}
        patch = {
            "metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"volumeName": f"pvc-{claim['metadata']['uid']}"},
            "status": {
                "phase": "Bound",
                "accessModes": spec.get("accessModes") or [],
                "capacity": (spec.get("resources") or {}).get("requests") or {},
            },
        }
        objects.merge_patch(CLAIMS, namespace, name, patch)


def delete(objects: Objects, namespace: str, name: str) -> None:
    """Delete a claim that a workflow made, as its controller does: finished pods do not hold it."""
    with suppress(ApiError):
        objects.delete(CLAIMS, namespace, name)
        drop_finalizer(objects, objects.one(CLAIMS, namespace, name), CLAIM_PROTECTION)


def claim_folder(folder: Path, claim: Mapping[str, JsonObject]) -> Path:
    """Give the folder in which the engine keeps what a claim holds."""
    metadata = claim["metadata"]
    return folder / "claims" / str(metadata["namespace"]) / f"{metadata['name']}-{metadata['uid']}"
