from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from github_kit import PLAIN, Requests
from structlog.testing import capture_logs

from kubeci.errors import UpstreamError
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.connection import Endpoint
from kubeci.github.request import Request
from kubeci.local.github.auth import new_app
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.repository import Repository

TOKENS = "/app/installations/{installation_id}/access_tokens"
READ = Request("GET", "/repos/{owner}/{repo}", repeatable=True)
CREATE = "/repos/{owner}/{repo}/check-runs"
QUERY = 'query { repository(owner: "acme", name: "widgets") { name } }'


@pytest.mark.parametrize(
    ("late", "refusals"),
    [(0, 0), (40, 0), (-40, 0), (-90, 1), (-7200, 1), (400, 0), (700, 1), (86_400, 1)],
)
async def test_a_clock_that_is_off(
    github: LocalGitHub, repository: Repository, credentials: Credentials, late: float, refusals: int
) -> None:
    heard: Requests = []

    def now() -> float:
        return github.state.now().timestamp() - late

    endpoint = Endpoint(github.api_url, trust_env=False, tls=PLAIN, pauses=())
    with capture_logs() as logs:
        async with GitHubApp(
            credentials, endpoint, on_request=lambda m, r, s, _: heard.append((m, r, s)), now=now
        ) as app:
            assert (await app.send(repository, READ))["name"] == "widgets"
            await asyncio.gather(*(app.send_as_app(repository, Request("GET", "/app")) for _ in range(5)))
            assert (await app.send(repository, READ))["name"] == "widgets"
    assert Counter(heard)["POST", TOKENS, 401] == refusals
    assert Counter(heard)["POST", TOKENS, 201] == 1  # its end is judged by GitHub's clock
    assert [each["late_seconds"] for each in logs] == pytest.approx([late] * refusals, abs=2)


async def test_a_clock_that_is_set_right_while_the_server_runs(
    github: LocalGitHub, repository: Repository, credentials: Credentials
) -> None:
    late = 7200.0

    def now() -> float:
        return github.state.now().timestamp() - late

    async with GitHubApp(credentials, Endpoint(github.api_url, trust_env=False, tls=PLAIN), now=now) as app:
        for late in (7200.0, 0.0, -7200.0):
            with capture_logs() as logs:
                assert (await app.send_as_app(repository, Request("GET", "/app")))["id"] == 7
            assert [round(each["late_seconds"]) for each in logs] == [pytest.approx(late, abs=2)]


async def test_an_app_that_is_refused_for_another_reason_is_asked_once_and_later(
    github: LocalGitHub, repository: Repository, requests: Requests
) -> None:
    stranger = Credentials(7, new_app(7).private_key or "")
    async with GitHubApp(
        stranger,
        Endpoint(github.api_url, trust_env=False, tls=PLAIN, pauses=()),
        on_request=lambda m, r, s, _: requests.append((m, r, s)),
    ) as app:
        with pytest.raises(UpstreamError, match="could not be decoded") as caught:
            await app.send(repository, READ)
    assert caught.value.retryable
    assert requests == [("POST", TOKENS, 401)]


@pytest.mark.parametrize("kind", ["read", "creation", "graphql", "reading"])
@pytest.mark.parametrize("gone", ["revoked", "ended early"])
async def test_a_token_that_does_not_count_any_more_is_replaced(
    app: GitHubApp, repository: Repository, github: LocalGitHub, requests: Requests, kind: str, gone: str
) -> None:
    sha = await github.push("acme/widgets", {"a": "b"})
    reading = kind == "reading"
    await app.send(repository, READ, reading=reading)
    if gone == "revoked":
        github.state.tokens.clear()
    else:
        for text, token in github.state.tokens.items():
            github.state.tokens[text] = replace(token, expires_at=github.state.now() - timedelta(seconds=1))
    match kind:
        case "creation":
            made = await app.send(repository, Request("POST", CREATE, body={"name": "x", "head_sha": sha}))
            assert made["name"] == "x"
        case "graphql":
            assert (await app.graphql(repository, QUERY, {}))["data"]
        case _:
            assert (await app.send(repository, READ, reading=reading))["name"] == "widgets"
    assert Counter(each for each in requests if each[1] == TOKENS) == {("POST", TOKENS, 201): 2}
    assert [status for *_, status in requests].count(401) == 1
    assert len(github.state.runs) == (kind == "creation")


async def test_many_that_meet_a_revoked_token_ask_for_one_new_one(
    app: GitHubApp, repository: Repository, github: LocalGitHub, requests: Requests
) -> None:
    await app.send(repository, READ)
    github.state.tokens.clear()
    github.faults.add(Fault("GET", "/repos", status=401, body='{"message": "Bad credentials"}', times=1))
    await asyncio.gather(*(app.send(repository, READ) for _ in range(8)))
    assert Counter(requests)["POST", TOKENS, 201] == 2
