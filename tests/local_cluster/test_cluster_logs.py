from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_cluster_kit import Api

from kubeci.local.cluster.logs import LogBuffer
from kubeci.local.cluster.objects import AT_ONCE
from kubeci.local.cluster.resources import PODS

LOG = "/api/v1/namespaces/ci/pods/p/log"


def _pod(api: Api, phase: str = "Running") -> LogBuffer:
    spec = {"nodeName": "n", "containers": [{"name": "main"}]}
    api.cluster.objects.create(
        PODS, "ci", {"metadata": {"name": "p"}, "spec": spec, "status": {"phase": phase}}
    )
    log = api.cluster.objects.logs["ci", "p", "main"] = LogBuffer()
    return log


@given(st.lists(st.binary(max_size=40)))
def test_no_byte_is_lost_and_lines_begin_where_they_begin(chunks: list[bytes]) -> None:
    log = LogBuffer()
    for chunk in chunks:
        log.append(chunk)
    log.close()
    pieces, position = log.pieces()
    whole = b"".join(chunks)
    assert b"".join(piece.data for piece in pieces) == whole
    assert sum(piece.first for piece in pieces) == _lines(whole)
    assert log.pieces(position) == ([], position)


def _lines(text: bytes) -> int:
    return text.count(b"\n") + (text != b"" and not text.endswith(b"\n"))


def test_only_the_newest_bytes_are_kept() -> None:
    log = LogBuffer(limit=10)
    _, position = log.pieces()
    for number in range(100):
        log.append(b"%03d\n" % number)
    pieces, _ = log.pieces(position)
    assert [piece.data for piece in pieces] == [b"098\n", b"099\n"]


def test_a_long_line_comes_in_pieces() -> None:
    log = LogBuffer()
    log.append(b"x" * 40_000)
    pieces, _ = log.pieces()
    assert [(len(piece.data), piece.first) for piece in pieces] == [(16384, True), (16384, False)]


async def test_following_a_log_to_its_end(api: Api) -> None:
    log = _pod(api)
    log.append(b"before\nhalf")
    async with api.http.stream("GET", f"{LOG}?follow=true") as response:
        chunks = response.aiter_text()
        assert await anext(chunks) == "before\n"
        log.append(b" a line\n")
        assert await anext(chunks) == "half a line\n"
        log.append(b"last")
        log.close()
        assert [chunk async for chunk in chunks] == ["last"]


async def test_a_removed_pod_ends_its_followers(api: Api) -> None:
    log = _pod(api)
    log.append(b"one\n")
    async with api.http.stream("GET", f"{LOG}?follow=true") as response:
        chunks = response.aiter_text()
        await anext(chunks)
        api.cluster.objects.delete(PODS, "ci", "p", AT_ONCE)
        async with asyncio.timeout(5):
            assert [chunk async for chunk in chunks] == []
    assert not api.cluster.objects.logs


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "old\nnew\n"),
        ("tailLines=0", ""),
        ("tailLines=1", "new\n"),
        ("tailLines=9", "old\nnew\n"),
        ("sinceSeconds=60", "new\n"),
        ("limitBytes=5", "old\nn"),
        ("limitBytes=5&follow=true", "old\nn"),
        ("follow=true&tailLines=1", "new\n"),
    ],
)
async def test_parts_of_a_log(api: Api, query: str, expected: str) -> None:
    log = _pod(api, "Succeeded")
    log.append(b"old\n", time_ns=time.time_ns() - 3600 * 10**9)
    log.append(b"new\n")
    log.close()
    assert (await api.http.get(f"{LOG}?{query}")).text == expected


@pytest.mark.parametrize(
    ("query", "phase", "code", "text"),
    [
        ("", "Pending", 400, 'container "main" in pod "p" is waiting to start: ContainerCreating'),
        ("", "Failed", 200, ""),
        ("previous=true", "Failed", 400, 'previous terminated container "main" in pod "p" not found'),
        ("limitBytes=0", "Failed", 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ("tailLines=x", "Failed", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
async def test_a_log_that_is_not_there(api: Api, query: str, phase: str, code: int, text: str) -> None:
    _pod(api, phase)
    api.cluster.objects.logs.clear()
    response = await api.http.get(f"{LOG}?{query}")
    message = response.json()["message"] if code != 200 else response.text
    assert response.status_code == code
    assert message.endswith(text)
