from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kubeci.service.patience import LONGEST_PAUSE, LONGEST_WAIT, has_time, pause_after

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
