"""What of the inbox can be claimed, and in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, literal, true

from kubeci.model.inbox import WAITS, DeliveryState, Wanted
from kubeci.store.now import database_now
from kubeci.store.tables import deliveries

SUSPECT = 2
"""So many claims in a row that ended with their process make a delivery one that is worked on alone."""

WAITING = deliveries.c.state == DeliveryState.WAITING.value
WORKING = deliveries.c.state == DeliveryState.WORKING.value


@dataclass(frozen=True, slots=True)
class Choice:
    """Deliveries that may be claimed, and which of them first."""

    condition: ColumnElement[bool]
    order: tuple[ColumnElement[float] | ColumnElement[int], ...]


def claimed_until(connection: Connection, now: datetime, until: datetime) -> ColumnElement[float]:
    """Say when a claim ends that lasts from `now` to `until`, by the clock that all who claim share."""
    return _shared_now(connection, now) + literal((until - now) / timedelta(seconds=1))


def choices(
    connection: Connection, now: datetime, wanted: Wanted, in_hand: Collection[str]
) -> tuple[Choice, ...]:
    """Give what may be claimed, what goes first first: what is left of claims that ran out, then what is due.

    `in_hand` is what this process works on: its own clock may have leapt over the end of such a claim.
    """
    ours = deliveries.c.id.not_in(in_hand) if in_hand else true()
    left = ours & WORKING & (deliveries.c.claimed_until <= _shared_now(connection, now))
    due = ours & WAITING & (deliveries.c.due <= now.timestamp())
    if wanted.alone:
        suspect = (left & (deliveries.c.lost >= SUSPECT - 1)) | (due & (deliveries.c.lost >= SUSPECT))
        return (Choice(suspect, (deliveries.c.lost, deliveries.c.due)),)
    left, due = (each & kinds(wanted) for each in (left, due))
    new = Choice(due & (deliveries.c.reason == ""), (deliveries.c.due,))
    tried = Choice(due & (deliveries.c.reason != ""), (*_turn(wanted), deliveries.c.due))
    over = Choice(left & (deliveries.c.lost < SUSPECT - 1), (deliveries.c.claimed_until,))
    if not wanted.tried:
        return over, new
    return (over, new, tried) if wanted.new_first else (over, tried, new)


def kinds(wanted: Wanted) -> ColumnElement[bool]:
    """Give which deliveries are wanted, whenever they are due."""
    narrowed = [deliveries.c.lost < SUSPECT]
    if wanted.commits:
        narrowed.append(deliveries.c.sha.not_in(wanted.commits))
    if not wanted.tried:
        narrowed.append(deliveries.c.reason == "")
    elif not wanted.waiting:
        narrowed.append(~deliveries.c.reason.startswith(WAITS))
    return and_(*narrowed)


def _turn(wanted: Wanted) -> tuple[ColumnElement[int], ...]:
    if not wanted.latest:
        return ()
    turns = {name: number for number, name in enumerate(wanted.latest, 1)}
    return (case(turns, value=deliveries.c.repository, else_=0),)


def _shared_now(connection: Connection, now: datetime) -> ColumnElement[float]:
    # The file of SQLite is one process's, whose clock the rest of the inbox goes by.
    return literal(now.timestamp()) if connection.dialect.name == "sqlite" else database_now(connection)
