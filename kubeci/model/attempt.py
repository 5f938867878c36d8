"""What GitHub tells of its attempts to deliver events to the App's webhook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver an event (docs.github.com/rest/apps/webhooks); a redelivery is another one of the same guid.

    `status_code` is the answer's; 0, or one of GitHub's own (502, 504): there was none.
    """

    id: int
    guid: str
    delivered_at: datetime
    status: str = ""
    status_code: int = 0
    event: str = ""
    action: str | None = None

    @property
    def good(self) -> bool:
        """Say whether it was taken."""
        return self.status_code in OK


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """Some attempts, newest first, and the cursor that leads to older ones; empty: there are none."""

    attempts: tuple[Attempt, ...]
    older: str = ""
