"""Who of several replicas leads: the rule, without a clock of its own and without requests.

As client-go's leader election does it: a lease in the cluster names its holder, who renews it. The others never read the
times in it, which are another machine's; they wait until they themselves have not seen it change for its duration.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from kubeci.model.lease import Lease


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a lease lasts, and how often it is looked at; all in seconds."""

    lease: int = 10
    deadline: float = 7.0
    """The holder leads for so long after it sent its last renewal that succeeded, as its own clock has it.

    What is left of the lease is for ending its work, and for clocks that run at different rates.
    """
    pause: float = 2.0
    """Between two renewals, and between two looks of the others."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a replica knows of the lease; moments are of its own clock, which never goes back."""

    lease: Lease | None = None
    """The lease as it was read or written last; None: there is none."""
    changed_at: float = 0.0
    """When it was first seen as it is."""
    leads_until: float = float("-inf")

    def leads(self, now: float) -> bool:
        """Say whether this replica leads."""
        return now < self.leads_until


def seen(standing: Standing, lease: Lease | None, me: str, now: float) -> Standing:
    """Take note of the lease as it was read; whoever finds it with another leads no longer."""
    if lease == standing.lease:
        return replace(standing, lease=lease)  # its metadata may be newer
    mine = lease is not None and lease.holder == me
    return Standing(lease, now, standing.leads_until if mine else float("-inf"))


def next_look(standing: Standing, me: str, now: float, terms: Terms) -> float:
    """Say in how many seconds the lease is looked at again: no later than when it may be taken."""
    if standing.lease is None or standing.lease.holder == me:
        return terms.pause
    left = _free_at(standing, terms) - now
    return min(terms.pause, left) if left > 0 else terms.pause


def _free_at(standing: Standing, terms: Terms) -> float:
    duration = standing.lease.duration_seconds if standing.lease else 0
    return standing.changed_at + (duration or terms.lease)


def won(lease: Lease, began: float, now: float, terms: Terms) -> Standing:
    """Take note of a lease that was written in our name by a request that was sent at `began`."""
    return Standing(lease, now, began + terms.deadline)


def wanted(standing: Standing, me: str, now: float, wall: datetime, terms: Terms) -> Lease | None:
    """Give the lease as `me` may write it now: to begin, to renew or to take over; None: it is another's.

    `wall` is the time of day, which stands in the lease for people.
    """
    old = standing.lease
    if old is None:
        return Lease(me, terms.lease, wall, wall)
    if old.holder == me:
        return replace(old, duration_seconds=terms.lease, renewed_at=wall)
    if old.holder and now < _free_at(standing, terms):
        return None
    return replace(
        old,
        holder=me,
        duration_seconds=terms.lease,
        acquired_at=wall,
        renewed_at=wall,
        transitions=old.transitions + 1,
    )


def given_up(lease: Lease, wall: datetime) -> Lease:
    """Give a lease that its holder needs no longer, so that others need not wait."""
    return replace(lease, holder="", duration_seconds=1, renewed_at=wall)
