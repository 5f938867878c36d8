"""The judge of `make chaos` turns red for each thing that must not happen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.judge import Due, Ran, Seen, Shown, Verdict, judge

SHA = "a" * 40
NAME = "Workflow - ci"
ONE = ("a.py", 1, "wrong")
TWO = ("a.py", 2, "wrong")
DUE = Due("push", "acme/widgets", SHA, NAME, frozenset({"success"}), remarks=2)
GOOD = Shown(1, "acme/widgets", SHA, NAME, "success", (ONE, TWO))
RAN = Ran("acme/widgets", SHA, "widgets-1", "nonce-1")
CANCELLED = replace(DUE, kind="cancel", conclusions=frozenset({"cancelled"}))


def counts(verdict: Verdict) -> dict[str, int]:
    return {name: len(cases) for name, cases in verdict.faults().items()}


@pytest.mark.parametrize(
    ("due", "runs", "expected"),
    [
        pytest.param([DUE], [GOOD], {}, id="as it must be"),
        pytest.param([DUE], [], {"lost": 1}, id="no check-run"),
        pytest.param([DUE], [replace(GOOD, conclusion="")], {"lost": 1, "left_open": 1}, id="never ended"),
        pytest.param([DUE], [GOOD, replace(GOOD, id=2)], {"doubled_check_runs": 1}, id="ended twice"),
        pytest.param(
            [DUE],
            [GOOD, replace(GOOD, id=2, conclusion="")],
            {"doubled_check_runs": 1, "left_open": 1},
            id="a second one is open",
        ),
        pytest.param([], [GOOD], {"doubled_check_runs": 1}, id="nobody asked"),
        pytest.param([DUE], [replace(GOOD, conclusion="failure")], {"wrong": 1}, id="another end"),
        pytest.param([DUE], [replace(GOOD, remarks=(ONE,))], {"remarks_lost": 1}, id="a remark is lost"),
        pytest.param(
            [DUE], [replace(GOOD, remarks=(ONE, TWO, ONE))], {"remarks_doubled": 1}, id="a remark twice"
        ),
        pytest.param(
            [DUE], [replace(GOOD, remarks=(ONE, ONE))], {"remarks_lost": 1, "remarks_doubled": 1}, id="both"
        ),
        pytest.param([DUE, DUE], [GOOD], {"lost": 1}, id="a second wish is lost"),
        pytest.param([DUE, DUE], [GOOD, replace(GOOD, id=2)], {}, id="two wishes"),
        pytest.param([CANCELLED], [replace(GOOD, conclusion="cancelled", remarks=())], {}, id="cancelled"),
        pytest.param([CANCELLED], [GOOD], {"wrong": 1}, id="was not cancelled"),
        pytest.param(
            [replace(DUE, conclusions=frozenset({"success", "cancelled"})), DUE],
            [GOOD, replace(GOOD, id=2, conclusion="cancelled")],
            {},
            id="what may end in two ways leaves the other its end",
        ),
        pytest.param([DUE], [GOOD, replace(GOOD, id=2, name="Other")], {"doubled_check_runs": 1}, id="name"),
    ],
)
def test_check_runs(due: list[Due], runs: list[Shown], expected: dict[str, int]) -> None:
    assert counts(judge(due, Seen(runs, [RAN] if due else []))) == expected


@pytest.mark.parametrize(
    ("workflows", "doubled"),
    [
        ([RAN], 0),
        ([], 0),
        ([RAN, replace(RAN, name="widgets-2")], 1),
        ([RAN, replace(RAN, name="widgets-2", build="nonce-2")], 1),
        ([RAN, replace(RAN, sha="b" * 40, build="nonce-2")], 1),
    ],
)
def test_workflows(workflows: list[Ran], doubled: int) -> None:
    assert len(judge([DUE], Seen([GOOD], workflows)).doubled_workflows) == doubled


def test_what_is_offered_has_no_workflow() -> None:
    offer = replace(DUE, name="Workflow - smoke", conclusions=frozenset({"neutral"}), workflow=False)
    shown = replace(GOOD, id=2, name=offer.name, conclusion="neutral")
    seen = Seen([GOOD, shown], [RAN, replace(RAN, name="widgets-2", build="nonce-2")])
    assert counts(judge([DUE, offer], seen)) == {"doubled_workflows": 1}


@pytest.mark.parametrize(("state", "lost"), [("success", 0), ("in_progress", 1), ("", 1)])
def test_deployments(state: str, lost: int) -> None:
    assert len(judge([DUE], Seen([GOOD], [RAN], {7: state})).lost) == lost
