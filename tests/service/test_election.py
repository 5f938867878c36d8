from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeci.model.lease import Lease
from kubeci.service.election import Standing, Terms, given_up, next_look, seen, wanted, won

WALL = datetime(2026, 1, 1, 12, tzinfo=UTC)
TERMS = Terms(lease=10, deadline=7.0, pause=2.0)
THEIRS = Lease("b", 10, WALL, WALL, transitions=3)
OURS = replace(THEIRS, holder="a")


@pytest.mark.parametrize(
    ("lease", "changed_at", "now", "holder", "transitions"),
    [
        pytest.param(None, 0.0, 0.0, "a", 0, id="there is none"),
        pytest.param(THEIRS, 100.0, 100.0, None, 0, id="just renewed"),
        pytest.param(THEIRS, 100.0, 109.9, None, 0, id="not run out"),
        pytest.param(THEIRS, 100.0, 110.0, "a", 4, id="run out"),
        pytest.param(replace(THEIRS, duration_seconds=60), 100.0, 150.0, None, 0, id="their duration counts"),
        pytest.param(replace(THEIRS, duration_seconds=0), 100.0, 109.9, None, 0, id="no duration"),
        pytest.param(given_up(THEIRS, WALL), 100.0, 100.0, "a", 4, id="given up"),
        pytest.param(OURS, 100.0, 100.0, "a", 3, id="ours is renewed"),
        pytest.param(OURS, 100.0, 900.0, "a", 3, id="ours, which nobody took"),
    ],
)
def test_wanted(
    lease: Lease | None, changed_at: float, now: float, holder: str | None, transitions: int
) -> None:
    wish = wanted(Standing(lease, changed_at), "a", now, WALL, TERMS)
    assert (wish and wish.holder) == holder
    if wish:
        assert (wish.transitions, wish.duration_seconds, wish.renewed_at) == (transitions, 10, WALL)


@pytest.mark.parametrize(
    ("lease", "now", "seconds"),
    [(None, 0.0, 2.0), (OURS, 0.0, 2.0), (THEIRS, 100.0, 2.0), (THEIRS, 109.0, 1.0), (THEIRS, 111.0, 2.0)],
)
def test_the_lease_is_looked_at_when_it_runs_out(lease: Lease | None, now: float, seconds: float) -> None:
    assert next_look(Standing(lease, 100.0), "a", now, TERMS) == seconds


def test_whoever_finds_it_with_another_leads_no_longer() -> None:
    leading = won(OURS, 100.0, 101.0, TERMS)
    assert leading.leads(106.9)
    assert not leading.leads(107.0), "its time counts from before the request"
    assert seen(leading, replace(OURS, renewed_at=WALL.replace(hour=13)), "a", 102.0).leads(103.0)
    assert not seen(leading, THEIRS, "a", 102.0).leads(103.0)
    assert not seen(leading, None, "a", 102.0).leads(103.0)


def test_the_clock_of_who_holds_it_is_not_believed() -> None:
    ahead = replace(THEIRS, renewed_at=WALL.replace(year=2099))
    standing = seen(Standing(), ahead, "a", 50.0)
    assert wanted(standing, "a", 60.0, WALL, TERMS)
    again = seen(standing, ahead, "a", 59.0)
    assert again.changed_at == 50.0, "what did not change was not renewed"


@dataclass
class Cluster:
    """A lease that only who knows its version may change; each change is another moment of the wall."""

    lease: Lease | None = None
    version: int = 0

    def write(self, wish: Lease, based_on: int) -> bool:
        if based_on != self.version:
            return False
        self.version += 1
        self.lease = replace(wish, renewed_at=WALL.replace(microsecond=self.version))
        return True


@dataclass
class Replica:
    name: str
    rate: float
    """Its seconds in a real one."""
    ahead: float
    standing: Standing = field(default_factory=Standing)
    version: int = 0
    sure: bool = False
    sent: tuple[Lease, int, float] | None = None
    """A write under way: what, on which version, and when it was sent by its own clock."""
    written: Lease | None = None
    """The same, done by the cluster and not yet heard of."""

    def clock(self, real: float) -> float:
        return self.ahead + real * self.rate

    def act(self, what: str, real: float, cluster: Cluster) -> None:
        now = self.clock(real)
        match what:
            case "look" if self.sent is None:
                self.standing, self.version = (
                    seen(self.standing, cluster.lease, self.name, now),
                    cluster.version,
                )
            case "send" if self.sent is None:
                wish = wanted(self.standing, self.name, now, WALL, TERMS)
                self.sent = (wish, self.version, now) if wish else None
            case "arrive" if self.sent and not self.written:
                wish, based_on, _ = self.sent
                if cluster.write(wish, based_on):
                    self.written, self.version = cluster.lease, cluster.version
                else:
                    self.sent = None
            case "hear" if self.sent and self.written:
                self.standing = won(self.written, self.sent[2], now, TERMS)
                self.sent = self.written = None
            case "miss":
                self.sent = self.written = None
            case "give up" if cluster.lease and cluster.lease.holder == self.name and self.sent is None:
                self.standing = Standing(
                    self.standing.lease, self.standing.changed_at
                )  # its work is ended first
                cluster.write(given_up(cluster.lease, WALL), cluster.version)


TURN = ("look", "send", "arrive", "hear")
CUT = [("look",), ("send",), ("arrive",), ("hear",), ("miss",), ("give up",), TURN[:2], TURN[:3], TURN[2:]]
ACTS = [TURN] * len(CUT) + CUT
PAUSES = st.one_of(st.sampled_from([0.0, 1.0, 5.0, 9.0, 10.0]), st.floats(0.0, 12.0))
MOVES = st.tuples(st.integers(0, 1), st.sampled_from(ACTS), PAUSES)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.85, 1.15), st.floats(-1e6, 1e6)), min_size=2, max_size=2),
    st.lists(MOVES, min_size=4, max_size=15),
)
def test_two_never_lead_at_once(
    clocks: list[tuple[float, float]], moves: list[tuple[int, tuple[str, ...], float]]
) -> None:
    """Whatever is slow or lost, and at whatever rates the clocks run, as long as they differ by less than 10 to 7."""
    cluster = Cluster()
    replicas = [Replica(f"r{n}", rate, ahead) for n, (rate, ahead) in enumerate(clocks)]
    real = 0.0
    for who, acts, pause in moves:
        for what in acts:
            replicas[who].act(what, real, cluster)
            assert sum(each.standing.leads(each.clock(real)) for each in replicas) <= 1
        real += pause


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_another_leads_within_fifteen_seconds(first_look: float, late: float) -> None:
    """The holder dies right after a renewal; the other looks as often as it says, each answer taking up to two seconds."""
    cluster, other = Cluster(), Replica("b", 1.0, 0.0)
    cluster.write(replace(THEIRS, holder="a"), 0)
    real = first_look
    while not other.standing.leads(real):
        other.act("look", real, cluster)
        other.act("send", real, cluster)
        real += late / 2 if other.sent else 0.0
        other.act("arrive", real, cluster)
        other.act("hear", real, cluster)
        real += 0.0 if other.standing.leads(real) else next_look(other.standing, "b", real, TERMS)
    assert real <= 15.0
