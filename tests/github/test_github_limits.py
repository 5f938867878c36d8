from __future__ import annotations

from collections import Counter

import pytest
from github_kit import PLAIN, Requests

from kubeci.errors import RateLimited
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.connection import Endpoint
from kubeci.github.limits import GRAPHQL, REST, STRAIN_SECONDS, THE_APP, Limits
from kubeci.github.request import Request
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.report import Budget
from kubeci.model.repository import Repository

TOKENS = "/app/installations/{installation_id}/access_tokens"
READ = Request("GET", "/repos/{owner}/{repo}", repeatable=True)
QUERY = 'query { repository(owner: "acme", name: "widgets") { name } }'
SECONDARY = '{"message": "You have exceeded a secondary rate limit."}'


def told(remaining: str, limit: str = "5000", reset: str = "1600", resource: str = "core") -> dict[str, str]:
    values = {"remaining": remaining, "limit": limit, "reset": reset, "resource": resource}
    return {f"x-ratelimit-{key}": value for key, value in values.items()}


class Time:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        (told("4000"), 4000),
        (told("4000", resource="graphql"), 5000),
        (told("4000", resource="search"), 5000),
        (told("-1"), 5000),
        (told("9" * 5000), 5000),
        (told("²"), 5000),
        ({}, 5000),
    ],
)
def test_what_an_answer_tells(headers: dict[str, str], left: int) -> None:
    limits = Limits(Time())
    limits.learn(7, headers)
    assert limits.budget(7) == Budget(left, 5000)
    assert limits.budget(8) == Budget(5000, 5000)


def test_what_is_used_up_is_asked_no_more_until_it_is_renewed() -> None:
    now = Time()
    heard: list[tuple[int, str, int, float]] = []
    limits = Limits(
        now, lambda caller, api, budget, until: heard.append((caller, api, budget.remaining, until))
    )
    limits.learn(7, told("0", resource="graphql"))
    limits.check(7, REST)
    limits.check(8, GRAPHQL)
    with pytest.raises(RateLimited) as caught:
        limits.check(7, GRAPHQL)
    assert caught.value.retry_after == 600
    now.at = 1600.0
    limits.check(7, GRAPHQL)
    assert heard[-1] == (7, GRAPHQL, 0, 1600.0)


@pytest.mark.parametrize(
    ("closed", "strained"), [(60.0, STRAIN_SECONDS), (3600.0, STRAIN_SECONDS), (2.0, 2.0)]
)
def test_progress_stays_behind_for_a_while_after_a_limit(closed: float, strained: float) -> None:
    now = Time()
    limits = Limits(now)
    limits.close(7, REST, closed)
    limits.close(7, REST, 1.0)  # asks for less than was asked for already
    assert limits.budget(7).strained_seconds == closed + strained
    now.at += closed
    limits.check(7, REST)
    assert limits.budget(7).strained_seconds == strained
    now.at += strained
    assert limits.budget(7).strained_seconds == 0


async def test_a_limited_installation_stops_no_other(
    app: GitHubApp, repository: Repository, github: LocalGitHub
) -> None:
    await github.create_repository("other/things")
    other = Repository("other", "things", github.installation("other/things").id)
    assert other.installation_id != repository.installation_id
    github.faults.add(
        Fault("GET", "/repos/acme/widgets$", status=403, body=SECONDARY, headers={"retry-after": "50"})
    )
    with pytest.raises(RateLimited):
        await app.send(repository, READ)
    with pytest.raises(RateLimited, match="asked to wait"):
        await app.send(repository, READ)
    assert (await app.send(other, READ))["full_name"] == "other/things"
    assert (await app.graphql(repository, QUERY, {}))["data"]


async def test_limits_of_the_app_itself_stop_new_tokens_alone(
    app: GitHubApp, repository: Repository, github: LocalGitHub, requests: Requests
) -> None:
    await github.create_repository("acme/new")
    new = Repository("acme", "new", repository.installation_id)
    await app.send(repository, READ)
    github.faults.add(Fault("POST", "/access_tokens", status=429, headers={"retry-after": "50"}, times=9))
    for _ in range(2):
        with pytest.raises(RateLimited):
            await app.send(new, READ)
    assert (await app.send(repository, READ))["name"] == "widgets"
    assert Counter(requests)["POST", TOKENS, 429] == 1


async def test_requests_of_the_app_say_nothing_of_an_installations_budget(
    github: LocalGitHub, repository: Repository, credentials: Credentials
) -> None:
    heard: dict[tuple[int, str], Budget] = {}
    github.limits.requests_per_hour = 90

    def hear(caller: int, api: str, budget: Budget, _until: float) -> None:
        heard[caller, api] = budget

    async with GitHubApp(
        credentials, Endpoint(github.api_url, trust_env=False, tls=PLAIN), on_limit=hear
    ) as app:
        await app.send(repository, READ)
        await app.graphql(repository, QUERY, {})
        await app.graphql(repository, QUERY, {})
        assert app.budget(repository) == Budget(89, 90)
    mine = repository.installation_id
    assert heard == {
        (THE_APP, REST): Budget(89, 90),
        (mine, REST): Budget(89, 90),
        (mine, GRAPHQL): Budget(88, 90),
    }
