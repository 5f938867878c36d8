"""Leases of `coordination.k8s.io`, by which replicas agree who leads."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

import msgspec

from kubeci.cluster.client import Client, Request
from kubeci.errors import UpstreamError
from kubeci.model.json import JsonObject
from kubeci.model.lease import Lease

LEASES = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
LEASE = LEASES + "/{name}"
READ_SECONDS = 3.0  # who leads must know soon that the API server is away
_MICROSECONDS = "%Y-%m-%dT%H:%M:%S.%fZ"  # Kubernetes' MicroTime


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    """What a lease says; each field may be absent."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class ClusterLease:
    """Fulfils the port `LeaderLease`: one lease, by its name in a namespace."""

    def __init__(self, client: Client, namespace: str, name: str) -> None:
        self._client = client
        self._where = {"namespace": namespace, "name": name}

    async def get(self) -> Lease:
        """Read the lease; raises `NotFound` when there is none yet."""
        return _lease_of(
            await self._client.send(Request("GET", LEASE, self._where, read_seconds=READ_SECONDS))
        )

    async def create(self, lease: Lease) -> Lease:
        """Create the lease and give it as it stands; raises `Conflict` when somebody was quicker."""
        metadata = {"namespace": self._where["namespace"], "name": self._where["name"]}
        where = {"namespace": self._where["namespace"]}
        request = Request("POST", LEASES, where, body=_object(lease, metadata), read_seconds=READ_SECONDS)
        return _lease_of(await self._client.send(request))

    async def replace(self, lease: Lease) -> Lease:
        """Replace the lease and give it as it stands; raises `Conflict` when it changed since it was read."""
        body = _object(lease, lease.metadata)
        request = Request("PUT", LEASE, self._where, body=body, read_seconds=READ_SECONDS)
        return _lease_of(await self._client.send(request))


def lease_name(managed_by: str) -> str:
    """Give the name of the lease of those who share the label value `managed_by`, which may hold what no name may."""
    name = re.sub(r"[^a-z0-9]+", "-", managed_by.lower()).strip("-")
    if name and name == managed_by:
        return name
    # `A_b` and `a-b` are two installations.
    return f"{name or 'kubeci'}-{hashlib.sha256(managed_by.encode()).hexdigest()[:8]}"


def _object(lease: Lease, metadata: JsonObject) -> JsonObject:
    spec: JsonObject = {
        "holderIdentity": lease.holder or None,
        "leaseDurationSeconds": lease.duration_seconds,
        "acquireTime": lease.acquired_at.strftime(_MICROSECONDS),
        "renewTime": lease.renewed_at.strftime(_MICROSECONDS),
        "leaseTransitions": lease.transitions,
    }
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def _lease_of(found: JsonObject) -> Lease:
    try:
        spec = msgspec.convert(found.get("spec") or {}, _Spec)
        metadata = msgspec.convert(found["metadata"], dict)
    except (KeyError, msgspec.ValidationError) as error:
        raise UpstreamError(f"the cluster's answer is no lease: {error}", retryable=True) from error
    never = datetime.fromtimestamp(0, UTC)
    return Lease(
        holder=spec.holder_identity or "",
        duration_seconds=spec.lease_duration_seconds or 0,
        acquired_at=spec.acquire_time or never,
        renewed_at=spec.renew_time or never,
        transitions=spec.lease_transitions or 0,
        metadata=metadata,
    )
