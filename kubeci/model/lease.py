"""Who leads, as it stands in the cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kubeci.model.json import JsonObject


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease of one of several replicas (kubernetes.io/docs/concepts/architecture/leases)."""

    holder: str
    """Who leads; empty: nobody, the last one gave it up."""
    duration_seconds: int
    """So long after they saw it change last others may take it."""
    acquired_at: datetime
    renewed_at: datetime
    transitions: int = 0
    """How often it went to another."""
    metadata: JsonObject = field(default_factory=dict, compare=False)
    """The object's metadata as read: with it a lease is replaced only if nobody changed it since."""
