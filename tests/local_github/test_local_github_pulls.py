from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from local_github_kit import Receiver

from kubeci.local.github.git import git, refs
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import PullRequest

REPO = "/repos/acme/widgets"


@pytest.fixture
async def base(github: LocalGitHub) -> str:
    return await github.push("acme/widgets", {"a": "1\n2\n3\n4\n", "b": "old\n"})


@pytest.fixture
async def pull(github: LocalGitHub, base: str) -> PullRequest:
    await github.push("acme/widgets", {"c": "new\n"}, branch="topic", base=base)
    return await github.open_pull_request("acme/widgets", head="topic", title="A topic", body="Why")


async def actions(github: LocalGitHub, receiver: Receiver) -> list[str]:
    await github.settled()
    return [body["action"] for body in receiver.named("pull_request")]


async def test_pull_requests_that_are_opened_at_once_have_numbers_of_their_own(
    github: LocalGitHub, base: str
) -> None:
    heads = [await github.push("acme/widgets", {"c": name}, branch=name, base=base) for name in "xyz"]
    opening = (github.open_pull_request("acme/widgets", head=name) for name in "xyz")
    opened = await asyncio.gather(*opening, github.open_issue("acme/widgets", "A wish"))
    assert sorted(each.number for each in opened) == [1, 2, 3, 4]
    assert [each.head_sha for each in opened if isinstance(each, PullRequest)] == heads


async def test_the_life_of_a_pull_request(
    github: LocalGitHub, receiver: Receiver, base: str, pull: PullRequest
) -> None:
    await github.push("acme/widgets", {"d": "1"}, branch="release", base=base)
    github.user = "mona"
    second = await github.push("acme/widgets", {"c": "newer\n"}, branch="topic")
    await github.edit_pull_request(pull, title="Better", base="release")
    await github.label(pull, "bug")
    await github.label(pull, "bug")
    await github.unlabel(pull, "bug")
    await github.convert_to_draft(pull)
    await github.ready_for_review(pull)
    await github.close_pull_request(pull)
    await github.reopen_pull_request(pull)
    assert await actions(github, receiver) == [
        "opened",
        "synchronize",
        "edited",
        "labeled",
        "unlabeled",
        "converted_to_draft",
        "ready_for_review",
        "closed",
        "reopened",
    ]
    events = {body["action"]: body for body in receiver.named("pull_request")}
    opened, moved, edited = events["opened"], events["synchronize"], events["edited"]
    assert (opened["pull_request"]["user"]["login"], moved["sender"]["login"]) == ("octocat", "mona")
    assert (moved["before"], moved["after"]) == (opened["pull_request"]["head"]["sha"], second)
    assert edited["changes"] == {
        "title": {"from": "A topic"},
        "base": {"ref": {"from": "main"}, "sha": {"from": base}},
    }
    assert edited["pull_request"]["base"]["ref"] == "release"
    assert events["labeled"]["label"]["name"] == "bug"
    assert [label["name"] for label in events["labeled"]["pull_request"]["labels"]] == ["bug"]
    assert events["converted_to_draft"]["pull_request"]["draft"] is True
    assert events["closed"]["pull_request"]["merged"] is False
    assert events["closed"]["pull_request"]["closed_at"]
    assert events["reopened"]["pull_request"]["closed_at"] is None
    assert opened["pull_request"]["head"]["label"] == "acme:topic"
    assert opened["pull_request"]["html_url"] == f"{github.base_url}/acme/widgets/pull/1"
    assert opened["installation"]["id"] == github.installation("acme/widgets").id
    named = [body["check_suite"]["pull_requests"] for body in receiver.named("check_suite", "requested")]
    assert [entry["number"] for entries in named for entry in entries] == [1]


async def test_a_merge_is_a_push_to_the_base(
    github: LocalGitHub, receiver: Receiver, http: httpx.AsyncClient, base: str, pull: PullRequest
) -> None:
    github.user = "mona"
    sha = await github.merge_pull_request(pull)
    await github.settled()
    closed = receiver.named("pull_request", "closed")[0]
    assert (closed["pull_request"]["merged"], closed["sender"]["login"]) == (True, "mona")
    assert closed["pull_request"]["merge_commit_sha"] == sha
    assert closed["pull_request"]["base"]["sha"] == base
    push = receiver.named("push")[-1]
    assert (push["ref"], push["before"], push["after"]) == ("refs/heads/main", base, sha)
    assert push["head_commit"]["message"] == "Merge pull request #1 from acme/topic\n\nA topic"
    assert receiver.named("check_suite", "requested")[-1]["check_suite"]["head_sha"] == sha
    found = (await http.get(f"{REPO}/pulls/1")).json()
    assert (found["state"], found["merged"], found["commits"], found["changed_files"]) == (
        "closed",
        True,
        1,
        1,
    )
    for commit in (sha, closed["pull_request"]["head"]["sha"]):
        assert [p["number"] for p in (await http.get(f"{REPO}/commits/{commit}/pulls")).json()] == [1]
    with pytest.raises(ValueError, match="is merged"):
        await github.reopen_pull_request(pull)


async def test_what_cannot_be_merged_is_not(
    github: LocalGitHub, http: httpx.AsyncClient, base: str, pull: PullRequest
) -> None:
    async def state() -> tuple[bool | None, str]:
        found = (await http.get(f"{REPO}/pulls/1")).json()
        return found["mergeable"], found["mergeable_state"]

    assert await state() == (True, "clean")
    github.require("acme/widgets", {"Workflow - ci", "lint"})
    assert await github.blocked_by(pull) == ["Workflow - ci", "lint"]
    assert await state() == (True, "blocked")
    head = (await http.get(f"{REPO}/pulls/1")).json()["head"]["sha"]
    expected = {"neutral": ["lint"], "failure": ["Workflow - ci", "lint"], "skipped": ["lint"]}
    for conclusion, blocking in expected.items():
        body = {"name": "Workflow - ci", "head_sha": head, "conclusion": conclusion}
        await http.post(f"{REPO}/check-runs", json=body)
        assert await github.blocked_by(pull) == blocking, conclusion
    with pytest.raises(ValueError, match="required checks do not pass: lint"):
        await github.merge_pull_request(pull)
    github.require("acme/widgets", ())
    await github.convert_to_draft(pull)
    assert await state() == (True, "draft")
    with pytest.raises(ValueError, match="draft"):
        await github.merge_pull_request(pull)
    await github.ready_for_review(pull)
    await github.push("acme/widgets", {"c": "other\n"}, base=base)
    assert await state() == (False, "dirty")
    with pytest.raises(ValueError, match="conflicts"):
        await github.merge_pull_request(pull)


async def test_a_fork_is_a_repository_of_its_own(
    github: LocalGitHub, receiver: Receiver, http: httpx.AsyncClient, base: str
) -> None:
    fork = await github.fork("acme/widgets", "mona")
    github.user = "mona"
    first = await github.push("mona/widgets", {"c": "1"}, branch="topic")
    pull = await github.open_pull_request("acme/widgets", head="mona:topic")
    second = await github.push("mona/widgets", {"c": "2"}, branch="topic")
    await github.settled()
    assert len(receiver.named("fork")) == 1
    assert [e["check_suite"]["head_sha"] for e in receiver.named("check_suite")] == [base]
    assert {e["repository"]["full_name"] for _, e, _ in receiver.events} == {"acme/widgets"}
    opened, moved = receiver.named("pull_request")
    assert (moved["action"], moved["before"], moved["after"]) == ("synchronize", first, second)
    head = opened["pull_request"]["head"]
    assert (head["label"], head["repo"]["full_name"], head["repo"]["fork"]) == (
        "mona:topic",
        "mona/widgets",
        True,
    )
    assert opened["sender"]["login"] == "mona"
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    assert (await refs(folder, "refs/pull/"))["refs/pull/1/head"] == second

    run = (await http.post(f"{REPO}/check-runs", json={"name": "ci", "head_sha": second})).json()
    await github.rerequest(run["id"])
    await github.settled()
    suite = receiver.named("check_run", "rerequested")[0]["check_run"]["check_suite"]
    assert (suite["head_branch"], suite["pull_requests"]) == (None, [])
    assert [p["number"] for p in (await http.get(f"{REPO}/commits/{second}/pulls")).json()] == [1]
    listed = await http.get(f"{REPO}/pulls", params={"head": "mona:topic"})
    assert [p["number"] for p in listed.json()] == [1]
    await github.delete_repository("mona/widgets")
    assert fork.deleted
    await github.close_pull_request(pull)
    await github.settled()
    assert receiver.named("pull_request", "closed")[0]["pull_request"]["head"]["repo"] is None


async def test_branches_that_go_away(
    github: LocalGitHub, receiver: Receiver, base: str, pull: PullRequest
) -> None:
    await github.push("acme/widgets", {"z": "1"}, branch="other", base=base)
    other = await github.open_pull_request("acme/widgets", head="other")
    await github.delete("acme/widgets", "refs/heads/topic")
    folder = github.state.repository("acme/widgets").path  # type: ignore[union-attr]  # it was just made
    await git(folder, "push", "--quiet", str(folder), "refs/heads/other:refs/heads/main")
    assert await actions(github, receiver) == ["opened", "opened", "closed", "closed"]
    assert (pull.state, pull.merged_at) == ("closed", None)
    with pytest.raises(ValueError, match="no branch topic"):
        await github.reopen_pull_request(pull)
    assert (other.state, other.merged_at is not None) == ("closed", True)


@pytest.mark.usefixtures("base")
async def test_what_is_no_pull_request(github: LocalGitHub) -> None:
    await github.push("acme/widgets", {"a": "x"}, branch="topic")
    bad: list[tuple[dict[str, Any], str]] = [
        ({"head": "nothing"}, "no branch nothing"),
        ({"head": "topic", "base": "nothing"}, "no branch nothing"),
        ({"head": "topic", "base": "topic"}, "No commits between"),
        ({"head": "mona:topic"}, "there is no repository mona/widgets"),
    ]
    for words, complaint in bad:
        with pytest.raises(ValueError, match=complaint):
            await github.open_pull_request("acme/widgets", **words)
    assert github.state.pull_requests == []


@pytest.mark.usefixtures("pull")
async def test_lists_of_pull_requests(github: LocalGitHub, http: httpx.AsyncClient, base: str) -> None:
    await github.push("acme/widgets", {"z": "1"}, branch="other", base=base)
    await github.close_pull_request(await github.open_pull_request("acme/widgets", head="other"))

    async def listed(**query: Any) -> list[int]:
        return [each["number"] for each in (await http.get(f"{REPO}/pulls", params=query)).json()]

    assert await listed() == [1]
    assert await listed(state="all") == [2, 1]
    assert await listed(state="all", direction="asc") == [1, 2]
    assert await listed(state="closed", head="acme:other") == [2]
    assert await listed(head="mona:topic") == []
    assert await listed(base="release") == []
    assert (await http.get(f"{REPO}/pulls", params={"state": "odd"})).status_code == 422
    assert (await http.get(f"{REPO}/pulls/3")).status_code == 404
    assert len((await http.get(f"{REPO}/pulls/1/commits")).json()) == 1
