"""GitHub's time, which decides whether the App's JWT counts and when its tokens end."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import structlog

TOLERANCE_SECONDS = 30.0
"""A clock that is off by less does no harm: a JWT is dated back by a minute, and ends a minute before it has to."""

log = structlog.get_logger(__name__)


class GitHubClock:
    """Gives epoch seconds by our clock, set right by GitHub's where it was found to be off."""

    def __init__(self, own: Callable[[], float]) -> None:
        self._own = own
        self.off_seconds = 0.0
        """By how much our own clock is late; negative: it is early."""

    def __call__(self) -> float:
        """Give the time."""
        return self._own() + self.off_seconds

    def set_by(self, date: str) -> None:
        """Learn the time from the Date header of an answer that refuses ours; one that is no date says nothing."""
        try:
            theirs = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return
        off = theirs - self._own()
        if abs(off - self.off_seconds) > TOLERANCE_SECONDS:
            self.off_seconds = off
            log.warning("the clock is not GitHub's; requests are signed by GitHub's", late_seconds=round(off))
