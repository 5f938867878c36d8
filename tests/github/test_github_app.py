from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from github_kit import PLAIN, Requests
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kubeci.errors import ConfigurationError, Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.github.app import MAX_ANSWER_BYTES, Credentials, GitHubApp
from kubeci.github.connection import Endpoint
from kubeci.github.request import Request
from kubeci.local.github.auth import App
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.local.serving import serving
from kubeci.model.repository import Repository

TOKENS = "/app/installations/{installation_id}/access_tokens"
REPOSITORY = "/repos/{owner}/{repo}"
READ = Request("GET", REPOSITORY, repeatable=True)
CREATE = Request("POST", "/repos/{owner}/{repo}/check-runs", body={"name": "x", "head_sha": "0" * 40})


async def test_many_requests_at_once_cost_one_token_for_one_repository(
    app: GitHubApp, repository: Repository, github: LocalGitHub, requests: Requests
) -> None:
    answers = await asyncio.gather(*(app.send(repository, READ) for _ in range(20)))
    assert {answer["full_name"] for answer in answers} == {"acme/widgets"}
    assert Counter(requests) == {("POST", TOKENS, 201): 1, ("GET", REPOSITORY, 200): 20}
    assert github.requests[0].body == {"repositories": ["widgets"]}


async def test_a_token_reaches_no_other_repository(
    app: GitHubApp, repository: Repository, github: LocalGitHub
) -> None:
    await github.create_repository("acme/other", private=True)
    with pytest.raises(NotFound):
        await app.send(repository, Request("GET", "/repos/{owner}/{other}", parameters={"other": "other"}))


async def test_a_token_is_renewed_before_it_ends(
    tmp_path: Path, registered: App, credentials: Credentials
) -> None:
    started, passed = datetime.now(UTC), timedelta(0)

    def now() -> datetime:
        return started + passed

    async with LocalGitHub(tmp_path, app=registered, webhook_secret="secret", now=now) as github:
        await github.create_repository("acme/widgets")
        repository = Repository("acme", "widgets", github.installation("acme/widgets").id)
        endpoint = Endpoint(github.api_url, trust_env=False, tls=PLAIN)
        async with GitHubApp(credentials, endpoint, now=lambda: now().timestamp()) as app:
            for seconds, tokens in ((0, 1), (3200, 1), (3400, 2)):
                passed = timedelta(seconds=seconds)
                await app.send(repository, READ)
                assert sum(r.path.endswith("/access_tokens") for r in github.requests) == tokens


async def test_a_refused_token_is_replaced_once_even_for_a_creation(
    app: GitHubApp, repository: Repository, github: LocalGitHub, requests: Requests
) -> None:
    sha = await github.push("acme/widgets", {"a": "b"})
    await app.send(repository, READ)
    github.state.tokens.clear()
    request = Request("POST", CREATE.route, body={"name": "x", "head_sha": sha})
    assert (await app.send(repository, request))["name"] == "x"
    github.faults.add(Fault("GET", "/repos", status=401, body='{"message": "Bad credentials"}', times=9))
    with pytest.raises(UpstreamError, match="Bad credentials") as caught:
        await app.send(repository, READ)
    assert caught.value.retryable  # GitHub contradicts itself
    assert Counter(requests)["GET", REPOSITORY, 401] == 2


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": None}], ids=["502", "dropped"])
async def test_reads_are_repeated_and_creations_never(
    app: GitHubApp, repository: Repository, github: LocalGitHub, fault: dict[str, int | None]
) -> None:
    github.faults.add(Fault("GET", "/repos", times=2, **fault))  # type: ignore[arg-type]  # a table's row
    assert (await app.send(repository, READ))["name"] == "widgets"
    github.faults.add(Fault("GET", "/repos", times=3, **fault))  # type: ignore[arg-type]  # likewise
    with pytest.raises(UpstreamError) as caught:
        await app.send(repository, READ)
    assert caught.value.retryable
    github.faults.add(Fault("POST", "/check-runs", times=1, **fault))  # type: ignore[arg-type]  # likewise
    with pytest.raises(UpstreamError) as caught:
        await app.send(repository, CREATE)
    assert caught.value.retryable
    assert [r.path for r in github.requests].count("/repos/acme/widgets/check-runs") == 1


async def test_a_rate_limit_is_neither_repeated_nor_asked_again_before_its_time(
    app: GitHubApp, repository: Repository, github: LocalGitHub, requests: Requests
) -> None:
    github.limits.requests_per_hour = 1
    await app.send(repository, READ)
    assert app.budget(repository).remaining == 0
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            await app.send(repository, READ)
        assert 3000 < caught.value.retry_after <= 3600
    assert Counter(requests) == {("POST", TOKENS, 201): 1, ("GET", REPOSITORY, 200): 1}


async def test_an_answer_that_never_comes(
    github: LocalGitHub, repository: Repository, credentials: Credentials
) -> None:
    endpoint = Endpoint(github.api_url, trust_env=False, tls=PLAIN, answer_seconds=0.2, pauses=())
    async with GitHubApp(credentials, endpoint) as app:
        await app.send(repository, READ)
        github.faults.add(Fault("GET", "/repos", delay_seconds=2))
        with pytest.raises(UpstreamError, match=r"did not answer GET /repos/.* in time") as caught:
            await app.send(repository, READ)
    assert caught.value.retryable


async def test_nobody_there(credentials: Credentials, unused_tcp_port: int) -> None:
    endpoint = Endpoint(f"http://127.0.0.1:{unused_tcp_port}", trust_env=False, tls=PLAIN, pauses=())
    async with GitHubApp(credentials, endpoint) as app:
        with pytest.raises(UpstreamError, match="connection to GitHub failed") as caught:
            await app.send(Repository("a", "b", 1), READ)
    assert caught.value.retryable


async def test_what_the_app_is_not_installed_for(app: GitHubApp, repository: Repository) -> None:
    with pytest.raises(Forbidden, match="not installed"):
        await app.send(Repository("acme", "widgets", repository.installation_id + 1), READ)
    with pytest.raises(Forbidden, match="no access to acme/nosuch"):
        await app.send(Repository("acme", "nosuch", repository.installation_id), READ)


async def test_names_stay_one_segment(app: GitHubApp, repository: Repository, github: LocalGitHub) -> None:
    request = Request("GET", "/repos/{owner}/{repo}/git/ref/{ref}", parameters={"ref": "tags/../../../x?y#z"})
    with pytest.raises(NotFound):
        await app.send(repository, request)
    # The recorded path is decoded, but for what would end it; it came to the route of tags and to no other.
    assert github.requests[-1].path == "/repos/acme/widgets/git/ref/tags/../../../x%3Fy%23z"


@pytest.mark.parametrize(
    "key", ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"]
)
def test_a_bad_key_is_one_clear_line_without_the_key(key: str) -> None:
    with pytest.raises(ConfigurationError, match="private key is not an RSA key in PEM form"):
        GitHubApp(Credentials(7, key), Endpoint("http://127.0.0.1:1", trust_env=False, tls=PLAIN))


def test_a_key_is_not_shown() -> None:
    assert "hidden" not in repr(Credentials(7, "hidden"))


@pytest.mark.parametrize(
    ("base_url", "graphql"),
    [
        ("https://api.github.example", "https://api.github.example/graphql"),
        ("https://api.github.example/", "https://api.github.example/graphql"),
        ("https://ghes.example/api/v3", "https://ghes.example/api/graphql"),
        ("https://ghes.example/api/v3/", "https://ghes.example/api/graphql"),
    ],
)
def test_graphql_url(base_url: str, graphql: str) -> None:
    assert Endpoint(base_url).graphql_url == graphql


async def test_tasks_older_than_the_connection_share_it(credentials: Credentials) -> None:
    """githubkit's own way of sharing, a context variable, is not seen by them."""
    ports = set()

    async def answer(request: HttpRequest) -> JSONResponse:
        assert request.client
        ports.add(request.client.port)
        token = {"token": "t", "expires_at": "2999-01-01T00:00:00Z"}
        return JSONResponse(token, 201 if request.method == "POST" else 200)

    entered = asyncio.Event()
    async with serving(Starlette(routes=[Route("/{p:path}", answer, methods=["GET", "POST"])])) as url:
        app = GitHubApp(credentials, Endpoint(url, trust_env=False, tls=PLAIN))

        async def older() -> None:
            await entered.wait()
            for _ in range(3):
                await app.send(Repository("a", "b", 1), READ)

        task = asyncio.create_task(older())
        await asyncio.sleep(0)
        async with app:
            entered.set()
            await task
    assert len(ports) == 1


async def test_an_answer_that_is_no_json(app: GitHubApp, repository: Repository, github: LocalGitHub) -> None:
    github.faults.add(Fault("GET", "/repos", status=200, body="<html>", times=3))
    with pytest.raises(UpstreamError, match="not JSON"):
        await app.send(repository, READ)


async def test_invalid_carries_github_s_words(
    app: GitHubApp, repository: Repository, github: LocalGitHub
) -> None:
    sha = await github.push("acme/widgets", {"a": "b"})
    request = Request("POST", CREATE.route, body={"name": "x", "head_sha": sha, "statsu": "queued"})
    with pytest.raises(Invalid, match="statsu"):
        await app.send(repository, request)


async def test_an_answer_without_end_is_given_up(
    app: GitHubApp, repository: Repository, github: LocalGitHub
) -> None:
    body = '{"a": "' + "x" * MAX_ANSWER_BYTES + '"}'
    github.faults.add(Fault("GET", "/repos", status=200, body=body))
    with pytest.raises(Invalid, match="more than 32,000,000 bytes"):
        await app.send(repository, READ)


async def test_an_answer_that_breaks_off_is_repeated(credentials: Credentials) -> None:
    answers = [b'{"na', b'{"name": "x"}']

    async def answer(request: HttpRequest) -> Response:
        if request.method == "POST":
            return JSONResponse({"token": "t", "expires_at": "2999-01-01T00:00:00Z"}, 201)
        return Response(answers.pop(0), headers={"content-length": "13"})

    routes = [Route("/{p:path}", answer, methods=["GET", "POST"])]
    async with (
        serving(Starlette(routes=routes)) as url,
        GitHubApp(credentials, Endpoint(url, trust_env=False, tls=PLAIN, pauses=(0.0,))) as app,
    ):
        assert await app.send(Repository("a", "b", 1), READ) == {"name": "x"}


async def test_proxies_of_the_environment(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = []

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope)
        targets.append((request.method, request.headers["host"]))
        answer = JSONResponse({"token": "t", "expires_at": "2999-01-01T00:00:00Z"})
        await answer(scope, receive, send)

    async with serving(proxy) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("NO_PROXY", "direct.invalid")
        async with GitHubApp(credentials, Endpoint("http://ghes.invalid/api/v3", pauses=())) as app:
            await app.send(Repository("a", "b", 1), READ)
        async with GitHubApp(credentials, Endpoint("http://direct.invalid", pauses=())) as app:
            with pytest.raises(UpstreamError):
                await app.send(Repository("a", "b", 1), READ)
    assert targets == [("POST", "ghes.invalid"), ("GET", "ghes.invalid")]
