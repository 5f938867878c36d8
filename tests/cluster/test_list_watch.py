from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from cluster_kit import until
from list_watch_kit import BREAK, GONE, SILENCE, Script, event, item, page, status

from kubeci.cluster.client import Client
from kubeci.cluster.list_watch import MAX_RESUMES, Collection, Listeners, Timing, list_watch
from kubeci.model.watch import Change, Changed, Gone, Listed

FAST = Timing(watch=60, silence=5, backoff=0.01, backoff_cap=0.05)
THINGS = Collection("/things", label_selector="managedBy=kube-ci")


async def follow(script: Script, client: Client, count: int, timing: Timing = FAST) -> list[Change]:
    """Take so many changes, then leave."""
    changes = list_watch(
        client,
        THINGS,
        random=lambda: 1.0,
        timing=timing,
        told=Listeners(lost=lambda *problem: script.problems.append(problem)),
    )
    async with asyncio.timeout(10), aclosing(changes):
        return [await anext(changes) for _ in range(count)]


async def run(script: Script, count: int, timing: Timing = FAST) -> list[Change]:
    async with script.client() as client:
        return await follow(script, client, count, timing)


def names(changes: list[Change]) -> list[Any]:
    return [
        [o["metadata"]["name"] for o in change.objects]
        if isinstance(change, Listed)
        else (type(change).__name__, change.object["metadata"]["name"])
        for change in changes
    ]


async def test_list_then_changes() -> None:
    script = Script(
        [page(item("a", 1), token="more"), page(item("b", 2), version=7)],
        [
            [
                event("ADDED", item("c", 8)),
                event("MODIFIED", item("a", 9)),
                event("DELETED", item("b", 10, last=True)),
            ]
        ],
    )
    changes = await run(script, 4)
    assert names(changes) == [["a", "b"], ("Changed", "c"), ("Changed", "a"), ("Gone", "b")]
    assert changes[3] == Gone(item("b", 10, last=True))
    assert script.asked == [
        {"limit": "500", "labelSelector": "managedBy=kube-ci"},
        {"limit": "500", "labelSelector": "managedBy=kube-ci", "continue": "more"},
        {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": "7",
            "timeoutSeconds": "120",
            "labelSelector": "managedBy=kube-ci",
        },
    ]
    assert script.problems == []


BOOKMARK = event("BOOKMARK", item("", 40))


@pytest.mark.parametrize(
    "end",
    [
        pytest.param([BREAK], id="broken"),
        pytest.param([], id="ended"),
        pytest.param([b'{"type": "MODIFIED", "obj', BREAK], id="broken in a line"),
        pytest.param([b'{"type": "MODIFIED", "obj'], id="ended in a line"),
        pytest.param([b"what?\n"], id="malformed"),
        pytest.param([b'{"type": "MODIFIED"}\n'], id="no object"),
        pytest.param([b"\xff\n"], id="no text"),
        pytest.param([b"[" * 100_000 + b"\n"], id="deep"),
        pytest.param([event("ERROR", {"code": 500, "message": "etcd"})], id="error"),
        pytest.param([event("ERROR", {})], id="error without code"),
        pytest.param([event("FUTURE", item("x", 40)), BREAK], id="unknown event"),
    ],
)
async def test_a_watch_that_ends_is_taken_up_where_it_stood(end: list[object]) -> None:
    script = Script(
        [page(version=7)],
        [[event("ADDED", item("a", 30)), BOOKMARK, *end], [event("ADDED", item("b", 41))]],
    )
    assert names(await run(script, 3)) == [[], ("Changed", "a"), ("Changed", "b")]
    assert script.versions() == ["", "7", "40"]


async def test_a_silent_watch_is_noticed() -> None:
    script = Script([page(version=7)], [[BOOKMARK, SILENCE], [event("ADDED", item("b", 41))]])
    timing = Timing(watch=60, silence=0.2, backoff=0.01)
    assert names(await run(script, 2, timing)) == [[], ("Changed", "b")]
    assert script.versions() == ["", "7", "40"]
    assert "in time" in str(script.problems[0][0])


@pytest.mark.parametrize("gone", [[GONE], status(410)], ids=["event", "answer"])
async def test_a_forgotten_version_means_a_new_list_at_once(gone: Any) -> None:
    script = Script(
        [page(item("a", 1), version=7), page(item("b", 2), version=9)],
        [gone, [event("ADDED", item("c", 10))]],
    )
    assert names(await run(script, 3)) == [["a"], ["b"], ("Changed", "c")]
    assert script.versions() == ["", "7", "", "9"]
    assert [pause for _, pause in script.problems] == [0.0]


async def test_a_cluster_that_comes_back_and_has_forgotten_is_asked_at_once() -> None:
    script = Script(
        [page(version=7), page(item("b", 2), version=9)],
        [status(503), [GONE], [event("ADDED", item("c", 10)), BREAK], [GONE]],
    )
    await run(script, 3)
    assert script.versions()[:5] == ["", "7", "7", "", "9"]
    assert [pause for _, pause in script.problems][:2] == [0.01, 0.0]


async def test_a_version_that_is_always_forgotten_is_no_busy_loop() -> None:
    script = Script([page(version=7) for _ in range(6)], [[GONE] for _ in range(5)])
    await run(script, 6)
    assert [pause for _, pause in script.problems] == [0.0, 0.02, 0.04, 0.05, 0.05]


async def test_a_list_that_expires_in_the_middle_begins_anew() -> None:
    script = Script([page(item("a", 1), token="old"), status(410), page(item("b", 2), version=9)])
    assert names(await run(script, 1)) == [["b"]]
    assert [query.get("continue") for query in script.asked] == [None, "old", None]


async def test_failures_pause_longer_and_longer_until_a_watch_works() -> None:
    works = [event("ADDED", item("a", 10)), BREAK]
    script = Script(
        [status(500), status(503), page(version=7)],
        [status(500), works, status(500), [event("ADDED", item("b", 11))]],
    )
    assert names(await run(script, 3)) == [[], ("Changed", "a"), ("Changed", "b")]
    assert [pause for _, pause in script.problems] == [0.01, 0.02, 0.04, 0.01, 0.02]


async def test_the_server_s_wish_to_wait_is_kept() -> None:
    script = Script([status(429, {"Retry-After": "1"}), page(version=7)])
    started = asyncio.get_running_loop().time()
    await run(script, 1)
    assert asyncio.get_running_loop().time() - started >= 1
    assert [pause for _, pause in script.problems] == [1.0]


async def test_watches_that_only_fail_lead_to_a_new_list() -> None:
    script = Script([page(version=7), page(version=9)], [status(500) for _ in range(MAX_RESUMES + 1)])
    await run(script, 2)
    assert script.versions()[: MAX_RESUMES + 3] == ["", *["7"] * (MAX_RESUMES + 1), ""]


async def test_watches_that_end_at_once_are_no_busy_loop() -> None:
    script = Script([page(version=7)], [[], [], [event("ADDED", item("a", 8))]])
    await run(script, 2)
    assert [pause for _, pause in script.problems] == [0.01, 0.02]


async def test_nobody_there_until_somebody_is(unused_tcp_port: int) -> None:
    script = Script()
    async with asyncio.timeout(10), script.client() as client:
        client._api.configuration.host = f"http://127.0.0.1:{unused_tcp_port}"
        task = asyncio.create_task(follow(script, client, 1))
        await until(lambda: len(script.problems) >= 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert all(error.retryable for error, _ in script.problems)


async def test_objects_of_megabytes_cut_anywhere() -> None:
    text = event("MODIFIED", item("big", 8, text="ü" * 1_000_000)) + event("DELETED", item("big", 9))
    chunks = [text[at : at + 99_991] for at in range(0, len(text), 99_991)]
    script = Script([page(version=7)], [chunks])
    changes = await run(script, 3)
    assert names(changes) == [[], ("Changed", "big"), ("Gone", "big")]
    assert isinstance(changes[1], Changed)
    assert len(changes[1].object["text"]) == 1_000_000


@pytest.mark.parametrize("how", ["cancelled", "closed"])
async def test_the_end_leaves_no_watch_open(how: str) -> None:
    script = Script([page(version=7)], [[event("ADDED", item("a", 8)), SILENCE]])
    async with script.client() as client:
        if how == "closed":
            await follow(script, client, 2)
        else:
            task = asyncio.create_task(follow(script, client, 3))
            await until(lambda: script.open)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await until(lambda: not script.open)
