from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kubeci.service.patience import (
    LONGEST_PAUSE,
    LONGEST_WAIT,
    SAYING_WINDOW,
    SAYINGS,
    has_time,
    kind_of,
    may_say,
    pause_after,
)

FIRST = timedelta(seconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.timedeltas(timedelta(0), LONGEST_WAIT))
def test_a_pause_is_never_so_long_that_it_is_felt(waited: timedelta) -> None:
    assert FIRST <= pause_after(waited, FIRST) <= LONGEST_PAUSE
    assert pause_after(waited, FIRST) <= max(FIRST, waited / 4)


def test_tries_of_a_whole_wait_are_bounded() -> None:
    waited, tries = timedelta(0), 0
    while has_time(START, START + waited):
        waited += pause_after(waited, FIRST)
        tries += 1
    assert tries < 1500


def test_amounts_make_no_other_cause() -> None:
    quota = "exceeded quota: builds, requested: cpu={}, used: count/workflows.argoproj.io={}, limited: cpu=50"
    assert kind_of(quota.format("1", "50")) == kind_of(quota.format("1500m", "7"))
    assert kind_of(quota) != kind_of("the cluster's API server cannot be reached")


def test_a_cluster_that_fails_in_turns_is_told_of_a_few_times_in_a_while() -> None:
    said: list[datetime] = []
    for second in range(int(6 * SAYING_WINDOW.total_seconds())):
        now = START + timedelta(seconds=second)
        if may_say(said, now):
            said.append(now)
    assert len(said) == 6 * SAYINGS
    assert said[SAYINGS] - said[0] >= SAYING_WINDOW
