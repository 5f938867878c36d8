from __future__ import annotations

import asyncio

import httpx
import pytest
from local_cluster_kit import WORKFLOWS_PATH, Api

from kubeci.local.cluster.resources import LEASES, WORKFLOWS


async def test_a_watch_gives_what_is_there_then_every_change(api: Api) -> None:
    await api.create("a")
    async with api.watch() as lines:
        assert await lines.seen() == ("ADDED", "a")
        await api.create("b")
        api.cluster.objects.merge_patch(WORKFLOWS, "ci", "a", {"status": {"phase": "Running"}})
        api.cluster.objects.merge_patch(WORKFLOWS, "ci", "a", {"status": {"phase": "Running"}})
        api.cluster.objects.delete(WORKFLOWS, "ci", "b")
        assert [await lines.seen() for _ in range(3)] == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]


async def test_a_watch_from_a_version_gives_only_what_came_after(api: Api) -> None:
    first = await api.create("a")
    await api.create("b")
    async with api.watch(f"resourceVersion={first['metadata']['resourceVersion']}") as lines:
        assert await lines.seen() == ("ADDED", "b")


async def test_a_watch_of_one_namespace_sees_no_other(api: Api) -> None:
    api.cluster.objects.create(WORKFLOWS, "other", {"metadata": {"name": "elsewhere"}})
    await api.create("here")
    async with api.watch() as lines:
        assert await lines.seen() == ("ADDED", "here")
    async with api.watch(path="/apis/argoproj.io/v1alpha1/workflows") as lines:
        assert [await lines.seen() for _ in range(2)] == [("ADDED", "here"), ("ADDED", "elsewhere")]


async def test_a_bookmark_stands_for_all_that_was_seen(api: Api) -> None:
    async with api.watch("allowWatchBookmarks=true") as lines:
        api.cluster.objects.create(LEASES, "ci", {"metadata": {"name": "unrelated"}})
        kind, bookmark = await lines.event()
        assert kind == "BOOKMARK"
        assert bookmark == {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"resourceVersion": str(api.cluster.objects.version)},
        }


async def test_forgotten_history_is_expired(api: Api) -> None:
    old = await api.create("a")
    await api.create("b")
    api.cluster.objects.compact()
    async with api.watch(f"resourceVersion={old['metadata']['resourceVersion']}") as lines:
        kind, status = await lines.event()
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
        assert await lines.rest() == []


async def test_cut_watches_break_and_may_be_opened_again(api: Api) -> None:
    await api.create("a")
    async with api.watch() as lines:
        await lines.seen()
        api.cluster.cut_watches()
        with pytest.raises(httpx.RemoteProtocolError):
            await lines.rest()
    async with api.watch() as lines:
        assert await lines.seen() == ("ADDED", "a")


async def test_a_restart_breaks_watches_and_forgets(api: Api) -> None:
    old = await api.create("a")
    await api.create("b")
    async with api.watch() as lines:
        await lines.seen()
        api.cluster.restart()
        with pytest.raises(httpx.RemoteProtocolError):
            await lines.rest()
    async with api.watch(f"resourceVersion={old['metadata']['resourceVersion']}") as lines:
        assert (await lines.event())[0] == "ERROR"


async def test_a_silenced_watch_stays_open_without_a_byte(api: Api) -> None:
    async with api.watch("allowWatchBookmarks=true&timeoutSeconds=1") as silent:
        api.cluster.silence()
        await api.create("a")
        async with api.watch() as speaking:
            assert await speaking.seen() == ("ADDED", "a")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await silent.event()


async def test_a_client_that_leaves_ends_its_watch(api: Api) -> None:
    async with api.watch():
        assert len(api.cluster.watches) == 1
    deadline = asyncio.get_running_loop().time() + 5
    # The set of watches tells nobody when it shrinks.
    while api.cluster.watches and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    assert not api.cluster.watches


async def test_send_initial_events_wants_a_match_of_versions(api: Api) -> None:
    response = await api.http.get(f"{WORKFLOWS_PATH}?watch=true&sendInitialEvents=true")
    assert (response.status_code, response.json()["reason"]) == (422, "Invalid")
