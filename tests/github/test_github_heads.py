"""The App's deliveries, and where branches and pull requests stand, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from github_kit import Requests

from kubeci.errors import Invalid, NotFound, UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.checks import GitHubChecks
from kubeci.github.events import decode
from kubeci.github.heads import GitHubHeads
from kubeci.github.hook_deliveries import GitHubHookDeliveries
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.attempt import Attempt
from kubeci.model.check_run import CheckRun, Status
from kubeci.model.event import PullRequestEvent, PushEvent
from kubeci.model.heads import Head, Installed
from kubeci.model.repository import Commit, Repository

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
QUEUED = CheckRun("Workflow - ci", Status.QUEUED, "title", "summary")
GRAPHQL = ("POST", "/graphql", 200)


@pytest.fixture
def heads(app: GitHubApp) -> GitHubHeads:
    return GitHubHeads(app)


async def test_deliveries_are_read_by_the_page_and_asked_for_again(
    github: LocalGitHub, app: GitHubApp
) -> None:
    hook = GitHubHookDeliveries(app)
    for number in range(5):
        github.deliver("push" if number else "star", {"action": "created"} if not number else {})
    await github.settled()
    first = await hook.page(length=3)
    second = await hook.page(first.older, length=3)
    assert [each.event for each in (*first.attempts, *second.attempts)] == ["push"] * 4 + ["star"]
    assert (first.older != "", second.older) == (True, "")
    oldest = second.attempts[-1]
    assert (oldest.action, oldest.status_code, oldest.good) == ("created", 502, False)
    await hook.redeliver(oldest)
    await github.settled()
    again = (await hook.page()).attempts[0]
    assert (again.guid, again.id != oldest.id) == (oldest.guid, True)
    with pytest.raises(NotFound):
        await hook.redeliver(replace(oldest, id=1))


async def test_deliveries_of_more_than_three_days_ago_are_gone(github: LocalGitHub, app: GitHubApp) -> None:
    for _ in range(3):
        github.deliver("push", {})
    await github.settled()
    for days, each in zip((4, 2.9, 0), github.deliveries.sent, strict=True):
        each.delivered_at -= timedelta(days=days)
    assert len((await GitHubHookDeliveries(app).page()).attempts) == 2


@pytest.mark.parametrize("body", ["{}", "[1]", '[{"id": "x"}]', '[{"id": 1, "guid": "g"}]', "null"])
async def test_a_list_of_another_shape_is_an_error(github: LocalGitHub, app: GitHubApp, body: str) -> None:
    github.faults.add(Fault("GET", "/app/hook/deliveries", status=200, body=body, times=9))
    with pytest.raises(UpstreamError, match="shape"):
        await GitHubHookDeliveries(app).page()


async def test_installations_and_their_repositories(
    github: LocalGitHub, heads: GitHubHeads, requests: Requests
) -> None:
    await github.create_repository("acme/old")
    await github.create_repository("acme/tools")
    await github.create_repository("octocat/hello", owner_type="User")
    await github.create_repository("gone/away")
    old = github.state.repository("acme/old")
    assert old
    old.archived = True
    github.installation("gone/away").suspended_at = datetime.now(UTC)
    found = await heads.installations()
    assert [each.owner for each in found] == ["acme", "octocat"]
    listed = await heads.repositories(found[0])
    assert [each.repository.full_name for each in listed] == ["acme/widgets", "acme/tools"]
    assert {each.repository.installation_id for each in listed} == {found[0].id}
    [asked] = [each for each in github.requests if each.path.endswith("/access_tokens")]
    assert asked.body == {"permissions": {"metadata": "read"}}
    assert len(requests) == 3


async def test_one_query_tells_where_all_stands_and_what_is_checked(
    github: LocalGitHub, app: GitHubApp, heads: GitHubHeads, repository: Repository, requests: Requests
) -> None:
    first = await github.push("acme/widgets", {"a": "1"})
    done = await github.push("acme/widgets", {"a": "2"})
    missed = await github.push("acme/widgets", {"b": "1"}, branch="topic")
    await github.open_pull_request("acme/widgets", head="topic")
    await github.fork("acme/widgets", "stranger")
    foreign = await github.push("stranger/widgets", {"c": "1"}, branch="patch")
    pull = await github.open_pull_request("acme/widgets", head="stranger/widgets:patch")
    closed = await github.open_pull_request("acme/widgets", head="topic", base="main", title="Twice")
    await github.close_pull_request(closed)
    await GitHubChecks(app).create(Commit(repository, done), QUEUED)
    requests.clear()
    found = await heads.heads(repository, LONG_AGO)
    assert requests == [GRAPHQL]
    branches = {each.name: each for each in found if not each.number}
    pulls = {each.number: each for each in found if each.number}
    assert {name: (each.sha, each.checked, each.before) for name, each in branches.items()} == {
        "main": (done, True, first),
        "topic": (missed, False, "0" * 40),
    }
    assert branches["main"].pusher == "octocat"
    assert {number: (each.sha, each.checked) for number, each in pulls.items()} == {
        1: (missed, False),
        pull.number: (foreign, False),
    }
    assert abs(datetime.now(UTC) - branches["topic"].changed_at) < timedelta(minutes=1)
    assert await heads.heads(repository, datetime.now(UTC) + timedelta(hours=1)) == [
        each for each in found if not each.number
    ]


async def test_many_branches_are_read_by_the_page(
    github: LocalGitHub,
    heads: GitHubHeads,
    repository: Repository,
    requests: Requests,
    git: Callable[..., Awaitable[None]],
) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    await git("push", "--quiet", ".", *(f"{sha}:refs/heads/b{number}" for number in range(120)))
    found = await heads.heads(repository, LONG_AGO)
    assert {each.name for each in found} == {"main", *(f"b{number}" for number in range(120))}
    assert {each.sha for each in found} == {sha}
    assert requests.count(GRAPHQL) == 2


async def test_without_the_right_to_pull_requests_branches_are_read(
    github: LocalGitHub, heads: GitHubHeads, repository: Repository
) -> None:
    await github.push("acme/widgets", {"a": "1"})
    del github.installation("acme/widgets").permissions["pull_requests"]
    assert [each.name for each in await heads.heads(repository, LONG_AGO)] == ["main"]


async def test_what_github_would_have_sent(github: LocalGitHub, heads: GitHubHeads) -> None:
    """But for what GitHub tells nobody afterwards: who pushed, and from where."""
    await github.push("acme/widgets", {"a": "1", "gone": "1", "here": "a long line that stays\n" * 9})
    sha = await github.push(
        "acme/widgets",
        {"a": "2", "new": "1", "gone": None, "here": None, "there": "a long line that stays\n" * 9},
        message="Subject\n\nBody",
    )
    pull = await github.open_pull_request("acme/widgets", head=await _fork(github))
    await github.settled()
    [installation] = [each for each in await heads.installations() if each.owner == "acme"]
    [installed] = await heads.repositories(installation)
    sent = {each.event: each.payload for each in github.deliveries.sent}
    found = {each.number: each for each in await heads.heads(installed.repository, LONG_AGO)}
    for event, head, action in (("push", found[0], ""), ("pull_request", found[pull.number], "opened")):
        name, made = await _made(heads, installed, head, action)
        assert name == event
        differing = {key for key in sent[event].keys() | made if sent[event].get(key) != made.get(key)}
        assert differing <= {"sender", "pusher", "commits", "head_commit", "repository", "pull_request"}
        mine, theirs = (
            decode(event, json.dumps(made).encode()),
            decode(event, json.dumps(sent[event]).encode()),
        )
        assert isinstance(mine, PushEvent | PullRequestEvent)
        assert isinstance(theirs, PushEvent | PullRequestEvent)
        assert replace(mine, payload={}) == replace(theirs, payload={})
    made = (await _made(heads, installed, found[0], ""))[1]
    commit, original = made["head_commit"], sent["push"]["head_commit"]
    assert commit["id"] == sha
    same = ("id", "tree_id", "message", "url", "added", "removed", "modified", "distinct")
    assert {key: commit[key] for key in same} == {key: original[key] for key in same}
    assert made["repository"].keys() == sent["push"]["repository"].keys()
    moved = (await _made(heads, installed, found[pull.number], "synchronize"))[1]
    assert (moved["action"], moved["after"]) == ("synchronize", found[pull.number].sha)


async def _fork(github: LocalGitHub) -> str:
    await github.fork("acme/widgets", "stranger")
    await github.push("stranger/widgets", {"c": "1"}, branch="patch")
    return "stranger/widgets:patch"


async def _made(
    heads: GitHubHeads, installed: Installed, head: Head, action: str
) -> tuple[str, dict[str, Any]]:
    event, payload = await heads.event(installed, head, action)
    return event, json.loads(payload)


async def test_a_commit_that_is_gone_is_said_to_be(heads: GitHubHeads, repository: Repository) -> None:
    head = Head("main", "1" * 40, LONG_AGO, checked=False)
    described = {"owner": {"login": "acme"}}
    with pytest.raises((NotFound, Invalid)):
        await heads.event(Installed(repository, described), head, "")


def test_an_attempt_is_good_when_it_was_answered_well() -> None:
    attempt = Attempt(1, "g", LONG_AGO)
    assert [
        code for code in (0, 199, 200, 202, 299, 302, 404, 504) if replace(attempt, status_code=code).good
    ] == [
        200,
        202,
        299,
    ]
