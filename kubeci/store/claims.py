"""What of the inbox can be claimed, and in which order: statements that are made once for each kind of wish."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    and_,
    bindparam,
    case,
    func,
    null,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from kubeci.model.inbox import WAITS, DeliveryState, Wanted
from kubeci.model.json import JsonObject
from kubeci.store.now import database_now
from kubeci.store.tables import deliveries

SUSPECT = 2
"""So many claims in a row that ended with their process make a delivery one that is worked on alone."""
KINDS_KEPT = 256

WAITING = deliveries.c.state == DeliveryState.WAITING.value
WORKING = deliveries.c.state == DeliveryState.WORKING.value

_NOW = bindparam("now", type_=Float)
_NOT_IN_HAND = deliveries.c.id.not_in(bindparam("in_hand", expanding=True))


@dataclass(frozen=True, slots=True)
class _Choice:
    """Deliveries that may be claimed, and which of them first."""

    condition: ColumnElement[bool]
    order: tuple[ColumnElement[Any], ...]


def parameters(now: datetime, wanted: Wanted, in_hand: Collection[str]) -> JsonObject:
    """Give what the statements of this module are carried out with.

    `in_hand` is what this process works on: its own clock may have leapt over the end of such a claim.
    """
    return {"now": now.timestamp(), "commits": [*wanted.commits], "in_hand": [*in_hand]}


def claim(wanted: Wanted, dialect: str) -> ReturningUpdate[Any]:
    """Give what claims a delivery and returns its row; wants, too, `for_seconds`, `this_claim` and `this_replica`."""
    return _claim(replace(wanted, commits=frozenset()), dialect)


@lru_cache(KINDS_KEPT)
def _claim(wanted: Wanted, dialect: str) -> ReturningUpdate[Any]:
    taken = {
        "state": DeliveryState.WORKING.value,
        "attempts": deliveries.c.attempts + 1,
        "lost": deliveries.c.lost + case((WORKING, 1), else_=0),
        "claim": bindparam("this_claim"),
        "claimed_by": bindparam("this_replica"),
        "claimed_until": claimed_until(dialect),
    }
    firsts = [
        # What another replica takes at this moment is passed over; SQLite has one writer at a time.
        _first(each).with_for_update(skip_locked=True).scalar_subquery()
        for each in _choices(wanted, dialect)
    ]
    # Both databases look for the next only where there is none of the one before. SQLite wants two at least.
    first = func.coalesce(*firsts, null())
    return update(deliveries).where(deliveries.c.id == first).values(taken).returning(deliveries)


@lru_cache
def suspect(dialect: str) -> Select[Any]:
    """Give what finds a delivery that only one who is alone may claim."""
    [alone] = _choices(Wanted(alone=True), dialect)
    return _first(alone)


def next_due(wanted: Wanted) -> Select[Any]:
    """Give what finds when the next wanted delivery that waits is due."""
    return _next_due(replace(wanted, commits=frozenset(), latest=()))


@lru_cache(KINDS_KEPT)
def _next_due(wanted: Wanted) -> Select[Any]:
    return select(func.min(deliveries.c.due)).where(WAITING, _kinds(wanted))


def claimed_until(dialect: str) -> ColumnElement[float]:
    """Say when a claim ends that lasts `for_seconds` from `now`, by the clock that all who claim share."""
    return _shared_now(dialect) + bindparam("for_seconds", type_=Float)


def _first(choice: _Choice) -> Select[Any]:
    return select(deliveries.c.id).where(choice.condition).order_by(*choice.order).limit(1)


def _choices(wanted: Wanted, dialect: str) -> tuple[_Choice, ...]:
    """Give what may be claimed, what goes first first: what is left of claims that ran out, then what is due."""
    left = _NOT_IN_HAND & WORKING & (deliveries.c.claimed_until <= _shared_now(dialect))
    due = _NOT_IN_HAND & WAITING & (deliveries.c.due <= _NOW)
    if wanted.alone:
        suspect = (left & (deliveries.c.lost >= SUSPECT - 1)) | (due & (deliveries.c.lost >= SUSPECT))
        return (_Choice(suspect, (deliveries.c.lost, deliveries.c.due)),)
    left, due = (each & _kinds(wanted) for each in (left, due))
    new = _Choice(due & (deliveries.c.reason == ""), (deliveries.c.due,))
    tried = _Choice(due & (deliveries.c.reason != ""), (*_turn(wanted), deliveries.c.due))
    over = _Choice(left & (deliveries.c.lost < SUSPECT - 1), (deliveries.c.claimed_until,))
    if not wanted.tried:
        return over, new
    return (over, new, tried) if wanted.new_first else (over, tried, new)


def _kinds(wanted: Wanted) -> ColumnElement[bool]:
    """Give which deliveries are wanted, whenever they are due."""
    narrowed = [
        deliveries.c.lost < SUSPECT,
        deliveries.c.sha.not_in(bindparam("commits", expanding=True)),
    ]
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


def _shared_now(dialect: str) -> ColumnElement[float]:
    # The file of SQLite is one process's, whose clock the rest of the inbox goes by.
    return _NOW if dialect == "sqlite" else database_now(dialect)
