from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.model.build import Build, BuildState
from kubeci.model.repository import Commit, Ref, Repository
from kubeci.model.trust import What
from kubeci.service.step_logs import LINES, LogTail, StepLog
from kubeci.web.pages.addresses import html_address
from kubeci.web.pages.states import State, asked_by, state_of


@pytest.mark.parametrize(
    ("api", "pages"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://api.octocorp.ghe.com", "https://octocorp.ghe.com"),
        ("https://github.corp.test/api/v3", "https://github.corp.test"),
        ("http://127.0.0.1:8000/api/v3", "http://127.0.0.1:8000"),
    ],
)
def test_where_githubs_pages_are(api: str, pages: str) -> None:
    assert html_address(api) == pages


A_BUILD = Build(
    id="b",
    commit=Commit(Repository("acme", "widgets", 1), "a" * 40),
    ref=Ref("main"),
    entrypoint="",
    check_name="Workflow - ci",
    namespace="ci",
    workflow_name="w",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State("queued", "queued")),
        ({"state": BuildState.RUNNING}, State("running", "running")),
        ({"state": BuildState.RUNNING, "stopped": "x"}, State("stopping", "running")),
        ({"state": BuildState.RUNNING, "superseded_by": "x"}, State("stopping", "running")),
        ({"state": BuildState.FINISHED}, State("ended", "neutral")),
        ({"state": BuildState.FINISHED, "conclusion": "success"}, State("success", "success")),
        (
            {"state": BuildState.FINISHED, "conclusion": "success", "superseded_by": "x"},
            State("success", "success"),
        ),
        ({"state": BuildState.FINISHED, "conclusion": "failure"}, State("failed", "failure")),
        (
            {"state": BuildState.FINISHED, "conclusion": "cancelled", "superseded_by": "x"},
            State("superseded", "neutral"),
        ),
        (
            {"state": BuildState.FINISHED, "conclusion": "action_required"},
            State("action required", "asking"),
        ),
        (
            {"state": BuildState.FINISHED, "conclusion": "action_required", "superseded_by": "x"},
            State("superseded", "neutral"),
        ),
        ({"state": BuildState.SKIPPED}, State("skipped", "neutral")),
        ({"state": BuildState.OFFERED}, State("offered", "asking")),
        ({"state": BuildState.OFFERED, "conclusion": "skipped"}, State("skipped", "neutral")),
    ],
)
def test_states_of_builds(changes: dict[str, Any], state: State) -> None:
    assert state_of(replace(A_BUILD, **changes)) == state


@pytest.mark.parametrize("what", What)
def test_every_reason_for_a_build_has_words(what: What) -> None:
    words = asked_by(replace(A_BUILD, what=what, actor="octo\u202ecat"))
    assert words.endswith(" by octo[U+202E]cat")
    assert words[0] != " "


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_chunks_make_no_difference_to_a_log(text: bytes, size: int) -> None:
    whole, parts = LogTail(), LogTail()
    whole.feed(text)
    whole.close()
    for at in range(0, len(text), size):
        parts.feed(text[at : at + size])
    parts.close()
    assert (parts.lines(), parts.count) == (whole.lines(), whole.count)
    assert whole.count == text.count(b"\n") + bool(text and not text.endswith(b"\n"))


def test_a_log_is_bounded_and_readable() -> None:
    tail = LogTail()
    tail.feed(b"x" * 100_000 + b"\n" + b"\x1b[31mred\x1b[0m\n10%\r100%\r\n\xff\n" + b"half")
    assert [len(line) for line in tail.lines()] == [4096, 3, 4, 1]
    assert tail.lines()[1:3] == ("red", "100%")
    tail.feed(b"\n" * (LINES + 5))
    assert (len(tail.lines()), tail.count) == (LINES, LINES + 9)


@pytest.mark.parametrize(
    ("after", "lines"),
    [(0, "abc"), (2, "abc"), (3, "bc"), (4, "c"), (5, ""), (9, "abc")],
)
def test_what_comes_after_what_was_shown(after: int, lines: str) -> None:
    assert StepLog(("a", "b", "c"), count=5).after(after) == tuple(lines)
