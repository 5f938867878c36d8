from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.report.markdown import LIMIT_BYTES, code, cut, fence, row
from kubeci.report.plain import plain

hostile = st.text(alphabet=st.sampled_from("`|\\@<>[]()\n\r\x1b\u202e\ud800 aé#*_~!"), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("build", "`build`"),
        ("", ""),
        (" \n ", ""),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("two\nlines", "`two lines`"),
        ("@everyone <img> [x](http://x)", "`@everyone <img> [x](http://x)`"),
        ("x" * 300, "`" + "x" * 199 + "…`"),
        ("a\u202eb\x1b[31mc\ud800", "`a[U+202E]bc`"),
    ],
)
def test_code(text: str, expected: str) -> None:
    assert code(text) == expected


@given(hostile)
def test_nothing_leaves_a_code_span(text: str) -> None:
    span = code(text)
    if span:
        ticks = re.match(r"`+", span)
        assert ticks is not None
        inside = span[len(ticks[0]) : -len(ticks[0])]
        assert span.endswith(ticks[0])
        assert len(ticks[0]) not in [len(run) for run in re.findall(r"`+", inside)]
        assert "\n" not in span


@given(st.lists(hostile, max_size=5))
def test_nothing_leaves_a_fence(lines: list[str]) -> None:
    first, *inside, last = fence(lines).split("\n")
    assert first == last + "text"
    assert all(len(run) < len(last) for line in inside for run in re.findall(r"`+", line))


@given(st.lists(hostile, min_size=2, max_size=4))
def test_a_row_has_as_many_cells_as_were_given(cells: list[str]) -> None:
    line = row([code(cell) for cell in cells])
    assert "\n" not in line
    assert len(re.split(r"(?<!\\)\|", line)) == len(cells) + 2
    assert "\\\\|" not in line


@given(st.text(alphabet=st.sampled_from("a✗`\n"), max_size=200), st.integers(min_value=40, max_value=300))
def test_cut_keeps_to_its_bytes_and_says_so(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short.encode()) <= limit
    assert short == text or short.endswith("… cut")


def test_cut_closes_a_fence() -> None:
    short = cut("```text\n" + "line\n" * 100, 60)
    assert short.endswith("\n```\n\n… cut")
    assert len(cut("✗" * 30_000).encode()) <= LIMIT_BYTES


def test_plain_drops_what_a_terminal_would_act_on() -> None:
    assert plain("\x1b[1;31mred\x1b[0m\x1b]0;title\x07 \x1b(Bend\x00\x9b\ufeff\tx\n") == "red end\tx\n"
