"""What the inbox knows of a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

WAITS = "waits: "
"""How the reason begins of what waits for the cluster."""
DEFERRED = "deferred: "
"""How the reason begins of what GitHub did not do in so many attempts, and is asked for again until there is no time left."""
LIMITED = "RateLimited: "
"""How the reason begins of what GitHub wants no requests for at the moment."""


class DeliveryState(StrEnum):
    """waiting → working → done | parked; a retry goes back to waiting."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One delivery in the inbox, without its payload."""

    id: str
    event: str
    state: DeliveryState
    received_at: datetime
    attempts: int
    due: datetime
    """When it is worked on, where it waits."""
    reason: str
    """What came of it, or why it waits or was parked."""
    claimed_by: str
    """The replica that works on it, or was the last to."""
    claimed_until: datetime
    """When others take it up, where it is worked on."""
    repository: str = ""
    """`owner/name` of what it is about, in small letters, as far as it said that."""
    sha: str = ""
    """The commit that it is about, as far as it named one."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries are not done, in all replicas."""

    waiting: int = 0
    """They wait for the cluster."""
    deferred: int = 0
    """They are put off since GitHub fails, or wants no requests."""
    parked: int = 0
    """They were set aside."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries a worker takes, and which of them first.

    Those whose last attempts ended with their process are taken by nobody but one who is `alone`, who takes no others.
    """

    new_first: bool = False
    """What was never tried goes before what was put off, not after it."""
    tried: bool = True
    """What was put off is taken, too."""
    waiting: bool = True
    """So is what waits for the cluster."""
    commits: frozenset[str] = frozenset()
    """What is about these is left: it would wait for what is worked on."""
    latest: tuple[str, ...] = ()
    """What was put off of these repositories goes behind that of others, of the last one last."""
    alone: bool = False


ANY = Wanted()
