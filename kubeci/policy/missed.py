"""Which event of a branch or a pull request was missed: what GitHub keeps no record of is seen by what it left."""

from __future__ import annotations

from datetime import datetime

from kubeci.model.heads import Head

PUSH, OPENED, SYNCHRONIZE = "push", "opened", "synchronize"


def missed(head: Head, since: datetime, until: datetime) -> str:
    """Name what happened to a head that nobody told us; empty: nothing.

    We were away from `since` on, and from `until` on GitHub's list of deliveries holds all. A pull request that was opened
    meanwhile may ask for what its branch did not, so that its commit may have a check-run already: whatever was done for
    that is not done again.
    """
    if head.opened_at and since <= head.opened_at <= until:
        return OPENED
    if head.checked or head.changed_at < since:
        return ""
    return SYNCHRONIZE if head.number else PUSH
