"""The scenarios by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from chaos.figure import Outcome
from chaos.scenarios.away import away
from chaos.scenarios.faults import faults
from chaos.scenarios.kills import kills
from chaos.scenarios.programs import fuzzing, hostile
from chaos.setting import Setting


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario."""

    name: str
    summary: str
    run: Callable[[Setting], Awaitable[Outcome]]
    in_short: bool = True


SCENARIOS = (
    Scenario("kills-sqlite", "SIGKILL at random points, one replica on SQLite", partial(kills, replicas=1)),
    Scenario(
        "kills-postgres",
        "the same on PostgreSQL",
        partial(kills, replicas=1, on_postgres=True),
        in_short=False,
    ),
    Scenario(
        "kills-two", "the same, two replicas on PostgreSQL", partial(kills, replicas=2, on_postgres=True)
    ),
    Scenario(
        "faults", "GitHub fails one call in five; the API server and PostgreSQL fail and restart", faults
    ),
    Scenario("away", "commits are pushed while there is no server", away),
    Scenario("hostile", "definitions that attack the server", hostile, in_short=False),
    Scenario("fuzzing", "what reads foreign input is fuzzed", fuzzing),
)
