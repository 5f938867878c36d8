from __future__ import annotations

from collections import Counter
from random import Random

import httpx
import pytest
from local_github_kit import Clock

from kubeci.local.github.faults import Fault
from kubeci.local.github.random_faults import WAYS, RandomFaults
from kubeci.local.github.server import LocalGitHub

RUNS = "/repos/acme/widgets/check-runs"


async def test_a_fault_answers_as_often_as_asked(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    github.faults.add(Fault("GET", "^/repos/acme/widgets$", status=502, body="<html>", times=2))
    github.faults.add(Fault("*", "nothing", status=500))
    statuses = [(await http.get("/repos/acme/widgets")).status_code for _ in range(3)]
    assert statuses == [502, 502, 200]
    github.faults.add(Fault("POST", "/check-runs$", status=429, headers={"retry-after": "7"}))
    answer = await http.post(RUNS, json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_answer_may_have_taken_effect(
    github: LocalGitHub, http: httpx.AsyncClient, *, after: bool
) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    github.faults.add(Fault("POST", "/check-runs$", after=after))
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(RUNS, json={"name": "ci", "head_sha": sha})
    assert len(github.state.runs) == after
    assert (await http.get("/repos/acme/widgets")).status_code == 200
    recorded = [(r.method, r.path, r.status) for r in github.requests][-2:]
    assert recorded == [("POST", RUNS, 0), ("GET", "/repos/acme/widgets", 200)]
    assert github.requests[-2].body["name"] == "ci"


async def test_a_fault_may_only_delay(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    github.faults.add(Fault("GET", "widgets", delay_seconds=0.2))
    with pytest.raises(httpx.ReadTimeout):
        await http.get("/repos/acme/widgets", timeout=0.05)
    github.latency_seconds = 0.05
    answer = await http.get("/repos/acme/widgets")
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.05


@pytest.mark.parametrize("way", WAYS)
async def test_a_random_fault_of_each_way(github: LocalGitHub, http: httpx.AsyncClient, way: str) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    chance = github.faults.random = RandomFaults(
        1.0, Random(1), ways=[way], slow_seconds=0.01, late_seconds=1.0
    )
    expected, status = WAYS[way](chance), 0
    try:
        answer = await http.post(RUNS, json={"name": "ci", "head_sha": sha}, timeout=0.4)
        status = answer.status_code
        assert expected.headers.items() <= answer.headers.items()
    except (httpx.RemoteProtocolError, httpx.ReadTimeout):
        status = 0
    assert status == (201 if way == "slow" else expected.status or 0)
    assert len(github.state.runs) == (way == "slow" or expected.after)
    assert chance.given == Counter({way: 1})
    github.faults.clear()
    assert (await http.get("/repos/acme/widgets")).status_code == 200


def test_random_faults_are_as_frequent_as_asked_and_the_same_again() -> None:
    first, second = (RandomFaults(0.2, Random(7), path="^/repos/") for _ in range(2))
    spoilt = [first.spoil("/repos/acme/widgets/check-runs") for _ in range(2000)]
    assert spoilt == [second.spoil("/repos/acme/widgets/check-runs") for _ in range(2000)]
    assert 300 < sum(each is not None for each in spoilt) < 500
    assert set(first.given) == set(WAYS)
    assert first.spoil("/graphql") is None


def test_the_apps_own_calls_never_hear_that_their_token_is_bad() -> None:
    chance = RandomFaults(1.0, Random(3), ways=["401", "500"])
    statuses = {chance.spoil(f"/app{rest}").status for rest in ("", "/hook/deliveries") for _ in range(50)}  # type: ignore[union-attr] # at this rate none is answered
    assert statuses == {500}
    assert {each.status for _ in range(50) if (each := chance.spoil("/apps/x"))} == {401, 500}


async def test_the_primary_limit_counts_down_and_starts_anew(
    github: LocalGitHub, clock: Clock, http: httpx.AsyncClient
) -> None:
    github.limits.requests_per_hour = 3
    left = []
    for _ in range(3):
        answer = await http.get("/repos/acme/widgets")
        left.append(answer.headers["x-ratelimit-remaining"])
    assert left == ["2", "1", "0"]
    over = await http.get("/repos/acme/widgets")
    assert (over.status_code, over.headers["x-ratelimit-remaining"]) == (403, "0")
    assert over.json()["message"].startswith("API rate limit exceeded for installation ID")
    assert int(over.headers["x-ratelimit-reset"]) == int(clock().timestamp()) + 3600
    overview = (await http.get("/rate_limit")).json()
    assert (overview["resources"]["core"]["remaining"], overview["resources"]["graphql"]["used"]) == (0, 0)
    clock.advance(minutes=61)
    installation = github.installation("acme/widgets").id
    assert github.limits.window(f"installation ID {installation}", "core", clock()).used == 0


@pytest.mark.parametrize("tells", [True, False])
async def test_the_secondary_limit_on_content(
    github: LocalGitHub, clock: Clock, http: httpx.AsyncClient, *, tells: bool
) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    github.limits.content_per_minute, github.limits.content_per_hour = 2, 3
    github.limits.send_retry_after = tells
    body = {"name": "ci", "head_sha": sha}
    assert [(await http.post(RUNS, json=body)).status_code for _ in range(3)] == [201, 201, 403]
    clock.advance(seconds=61)
    assert (await http.post(RUNS, json=body)).status_code == 201
    over = await http.post(RUNS, json=body)
    assert over.status_code == 403
    assert "secondary rate limit" in over.json()["message"]
    assert ("retry-after" in over.headers) is tells
    assert (await http.get("/repos/acme/widgets")).status_code == 200


async def test_an_unchanged_answer_costs_nothing(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    first = await http.get("/repos/acme/widgets")
    again = await http.get("/repos/acme/widgets", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    await github.push("acme/widgets", {"a": "1"})
    assert (await http.get("/repos/acme/widgets")).status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"[]", 400), (b"[" * 200_000, 400), (b'{"name": "\\ud800"}', 400), (b"", 422)],
)
async def test_broken_bodies(http: httpx.AsyncClient, content: bytes, status: int) -> None:
    assert (await http.post(RUNS, content=content)).status_code == status
