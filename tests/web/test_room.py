"""Bodies that strangers send slowly, or many at once, keep no webhook out and take bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from kubeci.web import body as reading
from kubeci.web.body import read_body
from kubeci.web.room import CONNECTION_BYTES, NoRoomError, Room

MB = 1_000_000


class Wire:
    """A request whose body comes as a test sends it."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self.request = Request({"type": "http", "method": "POST", "headers": []}, self._receive)

    def send(self, *chunks: bytes) -> Wire:
        for chunk in chunks:
            self._chunks.put_nowait(chunk)
        return self

    async def _receive(self) -> Message:
        chunk = await self._chunks.get()
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}


async def settled(*tasks: asyncio.Task[bytes | None]) -> None:
    for _ in range(50 * (len(tasks) + 1)):
        await asyncio.sleep(0)


@pytest.fixture
async def stalled() -> AsyncIterator[tuple[Room, list[asyncio.Task[bytes | None]]]]:
    """A full room of bodies of which no more comes."""
    now = 0.0
    room = Room(10 * MB, lambda: now)
    tasks = [
        asyncio.create_task(read_body(Wire().send(b"x" * 900_000).request, 25 * MB, room=room))
        for _ in range(10)
    ]
    await settled(*tasks)
    assert room.bytes_held == 10 * (900_000 + CONNECTION_BYTES)
    now = 3.0
    yield room, tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert room.bytes_held == 0


Stalled = tuple[Room, list[asyncio.Task[bytes | None]]]


async def test_the_newest_is_read_and_one_that_stalls_ends(stalled: Stalled) -> None:
    room, tasks = stalled
    wire = Wire().send(*([b"y" * 60_000] * 20), b"")
    assert await read_body(wire.request, 25 * MB, room=room) == b"y" * 1_200_000
    await settled(*tasks)
    ended = [task for task in tasks if task.done()]
    assert 1 <= len(ended) <= 3
    assert {type(task.exception()) for task in ended} == {NoRoomError}


async def test_many_small_ones_are_bounded_too(stalled: Stalled) -> None:
    room, _ = stalled
    small = [
        asyncio.create_task(read_body(Wire().send(b"z").request, 25 * MB, room=room)) for _ in range(300)
    ]
    await settled(*small)
    assert room.bytes_held <= 10 * MB
    assert len([task for task in small if not task.done()]) <= 10 * MB // CONNECTION_BYTES
    for task in small:
        task.cancel()
    await asyncio.gather(*small, return_exceptions=True)


async def test_a_body_that_trickles_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.1)
    room, wire = Room(MB), Wire()
    task = asyncio.create_task(read_body(wire.request, MB, room=room))
    async with asyncio.timeout(5):
        while not task.done():
            wire.send(b"x")
            await asyncio.sleep(0.01)
    assert isinstance(task.exception(), ClientDisconnect)
    assert room.bytes_held == 0


async def test_a_body_that_comes_steadily_is_read_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.1)
    room, wire = Room(MB), Wire()
    task = asyncio.create_task(read_body(wire.request, MB, room=room))
    for _ in range(10):
        wire.send(b"x" * 2_000)
        await asyncio.sleep(0.03)
    wire.send(b"")
    assert len(await task or b"") == 20_000


async def test_too_large_a_body_gives_its_room_back() -> None:
    room = Room(MB)
    assert await read_body(Wire().send(b"x" * 60_000, b"x" * 60_000).request, 100_000, room=room) is None
    assert room.bytes_held == 0


@pytest.mark.parametrize(
    ("others", "mine", "ends"),
    [
        ([(0.0, 900_000)], [(5.0, 200_000)], "other"),  # stalled since
        ([(0.0, 900_000), (4.9, 10)], [(5.0, 200_000)], "other"),  # trickles
        ([(4.9, 900_000)], [(0.0, 200_000)], "mine"),
        ([(0.0, 100_000), (4.8, 800_000)], [(0.0, 10), (4.8, 100), (5.0, 200_000)], "other"),
    ],
)
def test_who_ends(others: list[tuple[float, int]], mine: list[tuple[float, int]], ends: str) -> None:
    now = 0.0
    ended: list[str] = []
    room = Room(MB + 2 * CONNECTION_BYTES, lambda: now)
    steps = sorted(
        [(at, "other", count) for at, count in others] + [(at, "mine", count) for at, count in mine]
    )
    held = {}
    with ExitStack() as stack:
        for at, who, count in steps:
            now = at
            if who not in held:
                held[who] = stack.enter_context(room.entered(partial(ended.append, who)))
            try:
                room.grow(held[who], count)
            except NoRoomError:
                ended.append(who)
    assert ended == [ends]
    assert room.bytes_held == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 400_000), st.floats(0, 5, allow_nan=False)), max_size=60
    )
)
def test_never_more_than_the_room_is_held(steps: list[tuple[int, int, float]]) -> None:
    now = 0.0
    room = Room(MB, lambda: now)
    with ExitStack() as stack:
        held = [stack.enter_context(room.entered(lambda: None)) for _ in range(10)]
        for who, count, seconds in steps:
            now += seconds
            try:
                room.grow(held[who], count)
            except NoRoomError:
                assert held[who].ended
            assert room.bytes_held == sum(each.bytes_held for each in held if not each.ended)
            assert room.bytes_held <= MB
    assert room.bytes_held == 0
