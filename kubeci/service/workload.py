"""What the intake works on, and which delivery is to be taken next."""

from __future__ import annotations

from datetime import datetime

from kubeci.errors import UpstreamError
from kubeci.model.event import Delivery
from kubeci.model.inbox import WAITS, Wanted
from kubeci.service.patience import is_away

OLD_WORKERS = 2
"""So many work at a time on what was put off: a cluster or a GitHub that does not answer must not hold up new work."""
TURNS = 50
"""Repositories that are remembered for taking turns."""


class Workload:
    """Keeps workers for what is new, and lets what was put off take turns."""

    def __init__(self) -> None:
        self._in_hand: dict[str, tuple[Delivery, int]] = {}
        """What is worked on, by id, and how many others had succeeded when it began."""
        self._succeeded = 0
        self._new_first = False
        """Whether the last one was taken for being new: every other is, so that neither kind waits for all of the other."""
        self._latest: list[str] = []
        """Repositories of what was put off, in the order of their last turns."""
        self._away_until: datetime | None = None
        """Until when nothing that waits is tried, since the cluster is away; then one is, until something succeeds."""

    def wanted(self, now: datetime) -> Wanted:
        """Say what a worker may take that has nothing to do."""
        in_hand = [delivery for delivery, _ in self._in_hand.values()]
        self._new_first = not self._new_first
        return Wanted(
            new_first=self._new_first,
            tried=sum(bool(each.reason) for each in in_hand) < OLD_WORKERS,
            waiting=self._away_until is None
            or (now >= self._away_until and not any(waits(each) for each in in_hand)),
            commits=frozenset(each.sha for each in in_hand if each.sha),
            latest=tuple(self._latest),
        )

    def soonest(self, due: datetime | None, now: datetime) -> datetime | None:
        """Say when to look for work again, if what is wanted at the moment is due then."""
        away_until = self._away_until if self._away_until and self._away_until > now else None
        return min((each for each in (due, away_until) if each), default=None)

    def began(self, delivery: Delivery) -> None:
        """Count a delivery as worked on."""
        self._in_hand[delivery.id] = (delivery, self._succeeded)
        name = delivery.repository
        if delivery.reason and name:
            self._latest = [*(each for each in self._latest if each != name), name][-TURNS:]

    def ended(self, delivery: Delivery) -> None:
        """Count it no more."""
        self._in_hand.pop(delivery.id, None)

    def succeeded(self) -> None:
        """Note that a delivery's work was done: what waits may be tried."""
        self._succeeded += 1
        self._away_until = None

    def must_wait(self, delivery: Delivery, error: UpstreamError, until: datetime) -> None:
        """Note why a delivery waits; where the cluster is away, all that waits does so until then.

        It is not away for what fails while other work succeeds: that may be a fault of this one's own.
        """
        _, before = self._in_hand[delivery.id]
        if not is_away(error):
            self._away_until = None
        elif before == self._succeeded and (waits(delivery) or self._away_until is None):
            self._away_until = until


def waits(delivery: Delivery) -> bool:
    """Say whether the last attempt, be it an earlier process's, ended in waiting for the cluster."""
    return delivery.reason.startswith(WAITS)
