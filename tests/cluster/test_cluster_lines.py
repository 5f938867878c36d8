from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.cluster.lines import LineTooLongError, lines


async def streamed(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@given(st.lists(st.text("ab\n").map(str.encode)))
async def test_lines_are_the_same_however_they_are_cut(chunks: list[bytes]) -> None:
    expected = b"".join(chunks).split(b"\n")[:-1]
    assert [line async for line in lines(streamed(chunks))] == expected


async def test_a_line_of_megabytes_in_small_chunks() -> None:
    long = b"x" * 2_000_000
    text = long + b"\n" + long + b"\n"
    chunks = (text[at : at + 1000] for at in range(0, len(text), 1000))
    assert [line async for line in lines(streamed(chunks))] == [long, long]


@pytest.mark.parametrize("chunks", [[b"12345", b"6"], [b"123456"], [b"1\n1234", b"56"]])
async def test_a_line_without_end_is_an_error(chunks: list[bytes]) -> None:
    with pytest.raises(LineTooLongError):
        [line async for line in lines(streamed(chunks), limit=5)]
