"""What the inbox knows of a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
