"""Which deliveries are asked for again: those that were not taken, and those that we should know and do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from kubeci.model.attempt import Attempt

KEPT = timedelta(hours=70)
"""How long GitHub surely keeps deliveries: it says three days, and its clock is not ours."""
MAX_ATTEMPTS = 30
"""So often a delivery is tried, which takes two days; then it is given up."""
FIRST_PAUSE = timedelta(minutes=1)
"""What is younger may still be under way: GitHub waits ten seconds for an answer."""
LONGEST_PAUSE = timedelta(hours=2)
MAX_TAKEN = 3
"""So often something may answer in our place before we believe that it is meant to."""
SOON = timedelta(hours=1)
"""So long what somebody asked for by a button, a comment or a deployment is asked for again: what they meant may not hold later."""
REFUSED_FOR_GOOD = frozenset({400, 413})
"""What no repetition mends: a payload that cannot be read, or is too large."""


class State(StrEnum):
    """What becomes of a delivery."""

    SETTLED = "settled"
    """We have it, or it is none of ours."""
    WAITS = "waits"
    """It is due later."""
    DUE = "due"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Ours:
    """What we know: `read` are the events with their actions that we read, `known` the guids that our inbox holds.

    `since`: from then on our inbox knows what was taken; None: it never says anything by not knowing. `asked` says when
    a guid was asked for last, which GitHub's list may not show yet. `soon` are those of `read` that somebody waits for,
    who has asked again or done without after `SOON`.
    """

    read: Collection[tuple[str, str]]
    known: Collection[str] = ()
    since: datetime | None = None
    asked: Mapping[str, datetime] = field(default_factory=dict)
    soon: Collection[tuple[str, str]] = ()


def state_of(
    attempts: Iterable[Attempt], ours: Ours, now: datetime, *, reached: Attempt | None = None
) -> State:
    """Say what becomes of a delivery, by all the attempts that GitHub lists of it, in any order.

    What GitHub says was taken counts as lost only where our inbox would know it, and is asked for only when a later one
    has `reached` us: else it was another server that took it, and would do it twice.
    """
    tries = sorted(attempts, key=_order)
    first, last = tries[0], tries[-1]
    if (first.event, first.action or "") not in ours.read or first.guid in ours.known:
        return State.SETTLED
    taken = sum(1 for each in tries if each.good)
    if taken and (ours.since is None or first.delivered_at < ours.since):
        return State.SETTLED
    refused = any(each.status_code in REFUSED_FOR_GOOD for each in tries)
    late = (first.event, first.action or "") in ours.soon and now - first.delivered_at > SOON
    if late or refused or taken >= MAX_TAKEN or len(tries) >= MAX_ATTEMPTS:
        return State.GIVEN_UP
    if taken and (reached is None or _order(reached) <= _order(last)):
        return State.WAITS
    tried_at = max(last.delivered_at, ours.asked.get(first.guid, last.delivered_at))
    return State.DUE if now - tried_at >= pause_after(len(tries)) else State.WAITS


def pause_after(tries: int) -> timedelta:
    """Give how long a delivery rests after so many attempts: twice as long each time, up to two hours."""
    return min(FIRST_PAUSE * (1 << min(tries - 1, 10)), LONGEST_PAUSE)


def _order(attempt: Attempt) -> tuple[datetime, int]:
    """Order attempts by time, which GitHub gives in whole seconds; its ids grow."""
    return attempt.delivered_at, attempt.id


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be asked for, oldest first, each by its last attempt; and what is not settled yet."""

    due: tuple[Attempt, ...] = ()
    open: tuple[Attempt, ...] = ()
    """All attempts of the deliveries that are due, or will be."""
    given_up: tuple[Attempt, ...] = ()
    """Their last attempts."""

    @property
    def oldest(self) -> datetime | None:
        """Say since when something is not settled; None: all is."""
        return min((each.delivered_at for each in self.open), default=None)


def plan(attempts: Iterable[Attempt], ours: Ours, now: datetime) -> Plan:
    """Say what is to be asked for now, given the attempts that GitHub lists."""
    by_guid: dict[str, dict[int, Attempt]] = {}
    for each in attempts:
        by_guid.setdefault(each.guid, {})[each.id] = each
    groups = [sorted(found.values(), key=_order) for found in by_guid.values()]
    groups.sort(key=lambda tries: _order(tries[0]))
    arrived = [each for tries in groups for each in tries if each.good and each.guid in ours.known]
    reached = max(arrived, key=_order, default=None)
    states = [(state_of(tries, ours, now, reached=reached), tries) for tries in groups]
    return Plan(
        due=tuple(tries[-1] for state, tries in states if state is State.DUE),
        open=tuple(each for state, tries in states if state in {State.DUE, State.WAITS} for each in tries),
        given_up=tuple(tries[-1] for state, tries in states if state is State.GIVEN_UP),
    )


def way_is_open(attempts: Iterable[Attempt], ours: Ours) -> bool:
    """Say whether the newest delivery that we read has reached us: then others will."""
    read = [each for each in attempts if (each.event, each.action or "") in ours.read]
    newest = max(read, key=_order, default=None)
    return newest is not None and newest.good and newest.guid in ours.known
