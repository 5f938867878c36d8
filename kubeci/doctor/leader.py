"""Which of several replicas leads, as far as the lease tells."""

from __future__ import annotations

from collections.abc import Sequence

from kubeci.cluster.lease import ClusterLease, lease_name
from kubeci.doctor.finding import Finding, Group, State
from kubeci.doctor.subject import NO_CLUSTER, Looked
from kubeci.doctor.times import ago
from kubeci.errors import Forbidden, NotFound
from kubeci.store.engine import is_shared

STALE_SECONDS = 90.0
"""The leader renews the lease every two; clocks of two machines may differ."""


async def leader(looked: Looked) -> Sequence[Finding]:
    """Read the lease where replicas may share the store; a server with a store of its own leads by itself."""
    subject = looked.subject
    if not is_shared(subject.options.store_url):
        return []
    namespace = subject.namespace
    await looked.cluster.needed(NO_CLUSTER)
    name = lease_name(subject.config.managed_by)
    try:
        lease = await ClusterLease(await looked.client.get(), namespace, name).get()
    except NotFound:
        return [_finding(State.OK, f"nobody yet: there is no lease {name} in {namespace}")]
    except Forbidden as error:
        return [_finding(State.UNKNOWN, f"skipped: {error}")]
    renewed = ago(lease.renewed_at, subject.now())
    if lease.holder and subject.now() - lease.renewed_at.timestamp() < STALE_SECONDS:
        return [_finding(State.OK, f"{lease.holder} leads; it renewed the lease {name} {renewed}")]
    last = f"{lease.holder} did last, {renewed}" if lease.holder else f"the last one gave it up {renewed}"
    return [
        Finding(
            Group.CLUSTER,
            "leader",
            State.WARNING,
            f"nobody renews the lease {name}: {last}",
            "the replica that leads reports builds to GitHub; without one check-runs stand still",
            "no replica runs, or none can write the lease: their logs say `the lease cannot be had`, and why",
            "kubectl logs --namespace kubeci --selector app.kubernetes.io/name=kubeci --prefix --tail=100",
        )
    ]


def _finding(state: State, found: str) -> Finding:
    return Finding(Group.CLUSTER, "leader", state, found)
