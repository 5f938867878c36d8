"""Which deliveries are asked for again, and which events are seen by what they left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.model.attempt import Attempt
from kubeci.model.heads import Head
from kubeci.policy.missed import missed
from kubeci.policy.redelivery import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MAX_ATTEMPTS,
    Ours,
    State,
    pause_after,
    plan,
    state_of,
    way_is_open,
)

NOW = datetime(2026, 1, 3, 12, tzinfo=UTC)
READ = frozenset({("push", ""), ("check_suite", "requested")})
OURS = Ours(READ, since=NOW - timedelta(hours=10))
NEW = Ours(READ)
"""We have just begun: what was taken, was taken by another."""


def tried(status: int, *, ago: float = 60.0, guid: str = "one", number: int = 0) -> Attempt:
    """An attempt so many minutes ago."""
    at = NOW - timedelta(minutes=ago)
    return Attempt(number or round(1e6 - ago * 60), guid, at, "", status, "push", None)


REACHED = tried(202, ago=1, guid="later")
KNOWN = replace(OURS, known={"one"})
SOON = replace(OURS, soon={("push", "")})

CASES = [
    ("taken and known", [tried(202)], KNOWN, State.SETTLED),
    ("not answered in time, but known", [tried(504)], KNOWN, State.SETTLED),
    ("no answer", [tried(0)], OURS, State.DUE),
    ("unreachable", [tried(502)], OURS, State.DUE),
    ("timed out", [tried(504)], OURS, State.DUE),
    ("refused by the store", [tried(503)], OURS, State.DUE),
    ("a wrong secret, which may be mended", [tried(401)], OURS, State.DUE),
    ("another server answers", [tried(404)], OURS, State.DUE),
    ("redirected", [tried(302)], OURS, State.DUE),
    ("failed before we began", [tried(502, ago=700)], OURS, State.DUE),
    ("failed, and we have just begun", [tried(502)], NEW, State.DUE),
    ("still under way", [tried(502, ago=0.5)], OURS, State.WAITS),
    ("failed twice, lately", [tried(502), tried(502, ago=1.5)], OURS, State.WAITS),
    ("failed twice, a while ago", [tried(502), tried(502, ago=2)], OURS, State.DUE),
    ("failed, then taken and known", [tried(502), tried(202, ago=5)], KNOWN, State.SETTLED),
    ("malformed", [tried(400)], OURS, State.GIVEN_UP),
    ("too large", [tried(413)], OURS, State.GIVEN_UP),
    ("too large, then unreachable", [tried(413), tried(502, ago=5)], OURS, State.GIVEN_UP),
    ("taken before we began", [tried(200, ago=601)], OURS, State.SETTLED),
    ("taken, and we have just begun", [tried(200)], NEW, State.SETTLED),
    ("failed, then taken by another, and we have just begun", [tried(502), tried(200, ago=5)], NEW, State.SETTLED),
    ("taken by something else", [tried(200)], OURS, State.DUE),
    ("taken by something else three times", [tried(200, ago=60 - n) for n in range(3)], OURS, State.GIVEN_UP),
    ("tried too often", [tried(502, ago=9000 - n) for n in range(MAX_ATTEMPTS)], OURS, State.GIVEN_UP),
    ("none of ours", [replace(tried(502), event="star", action="created")], OURS, State.SETTLED),
    ("an action that we do not read", [replace(tried(502), event="check_suite", action="completed")], OURS, State.SETTLED),
    ("an action that we read", [replace(tried(502), event="check_suite", action="requested")], OURS, State.DUE),
    ("asked for by somebody a while ago", [tried(502, ago=59)], SOON, State.DUE),
    ("asked for by somebody too long ago", [tried(502, ago=61)], SOON, State.GIVEN_UP),
    ("asked for too long ago, redelivered", [tried(502, ago=61), tried(502, ago=5)], SOON, State.GIVEN_UP),
    ("asked for too long ago, but known", [tried(502, ago=61)], replace(KNOWN, soon={("push", "")}), State.SETTLED),
    ("just asked for", [tried(502)], replace(OURS, asked={"one": NOW}), State.WAITS),
    ("asked for a while ago", [tried(502)], replace(OURS, asked={"one": NOW - FIRST_PAUSE}), State.DUE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attempts", "ours", "state"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_becomes_of_a_delivery(attempts: list[Attempt], ours: Ours, state: State) -> None:
    assert state_of(attempts, ours, NOW, reached=REACHED) is state
    assert state_of(reversed(attempts), ours, NOW, reached=REACHED) is state


def test_what_was_taken_is_not_asked_for_before_a_later_one_came() -> None:
    """Two servers may have one App: the other one would do all of it twice."""
    swallowed = tried(200)
    earlier, later = tried(202, ago=70, guid="earlier"), tried(202, ago=50, guid="later")
    known = replace(OURS, known={"earlier", "later"})
    assert plan([swallowed, earlier], known, NOW).due == ()
    assert plan([swallowed, later], known, NOW).due == (swallowed,)
    assert plan([swallowed, later], OURS, NOW).due == ()


@pytest.mark.parametrize(
    ("attempts", "known", "is_open"),
    [
        ([], set(), False),
        ([tried(502)], {"one"}, False),
        ([tried(202)], {"one"}, True),
        ([tried(202)], set(), False),
        ([tried(202), tried(502, ago=1, guid="two")], {"one"}, False),
        ([tried(502), tried(202, ago=1, guid="two")], {"two"}, True),
        ([tried(202), replace(tried(500, ago=1, guid="two"), event="star")], {"one"}, True),
    ],
)
def test_the_way_is_open_when_the_newest_has_reached_us(
    attempts: list[Attempt], known: set[str], *, is_open: bool
) -> None:
    assert way_is_open(attempts, replace(OURS, known=known)) is is_open


def test_pauses_grow_up_to_a_bound() -> None:
    pauses = [pause_after(tries) for tries in range(1, MAX_ATTEMPTS)]
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE, LONGEST_PAUSE)
    assert pauses == sorted(pauses)
    assert timedelta(days=1.5) < sum(pauses, timedelta()) < timedelta(days=3)


ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        st.integers(1, 40),
        st.sampled_from("abcd"),
        st.integers(0, 6000).map(lambda ago: NOW - timedelta(minutes=ago)),
        st.just(""),
        st.sampled_from([0, 200, 202, 400, 502, 503]),
        st.sampled_from(["push", "star"]),
        st.none(),
    ),
    unique_by=lambda attempt: attempt.id,
)


@given(ATTEMPTS, st.sets(st.sampled_from("abcd")), st.randoms())
def test_the_plan_holds_for_any_list(attempts: list[Attempt], known: set[str], random: object) -> None:
    ours = replace(OURS, known=known)
    found = plan(attempts, ours, NOW)
    shuffled = sorted(attempts, key=lambda _: random.random())  # type: ignore[attr-defined] # hypothesis' Random
    assert plan([*shuffled, *attempts], ours, NOW) == found  # neither order nor repetition matters
    due = [each.guid for each in found.due]
    assert len(set(due)) == len(due)
    assert not known & {each.guid for each in found.open}
    assert set(due) <= {each.guid for each in found.open}
    firsts = [min((a.delivered_at, a.id) for a in attempts if a.guid == guid) for guid in due]
    assert firsts == sorted(firsts)
    asked = replace(ours, asked=dict.fromkeys(due, NOW))
    assert plan(attempts, asked, NOW).due == ()  # nothing is asked for twice
    assert plan(attempts, asked, NOW).open == found.open


SINCE, UNTIL = NOW - timedelta(days=5), NOW - timedelta(days=3)
HEAD = Head("main", "a" * 40, NOW - timedelta(days=4), checked=False)
PULL = replace(HEAD, number=7, opened_at=NOW - timedelta(days=9))


@pytest.mark.parametrize(
    ("head", "event"),
    [
        (HEAD, "push"),
        (replace(HEAD, checked=True), ""),
        (replace(HEAD, changed_at=SINCE), "push"),
        (replace(HEAD, changed_at=SINCE - timedelta(seconds=1)), ""),
        (replace(HEAD, changed_at=NOW), "push"),
        (PULL, "synchronize"),
        (replace(PULL, checked=True), ""),
        (replace(PULL, changed_at=NOW - timedelta(days=9)), ""),
        (replace(PULL, opened_at=NOW - timedelta(days=4)), "opened"),
        (replace(PULL, opened_at=NOW - timedelta(days=4), checked=True), "opened"),
        (replace(PULL, opened_at=NOW - timedelta(days=1), checked=True), ""),
    ],
)
def test_what_was_missed_is_seen_by_what_it_left(head: Head, event: str) -> None:
    assert missed(head, SINCE, UNTIL) == event
