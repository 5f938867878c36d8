from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from local_github_kit import Clock, Receiver, token

from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import PullRequest, timestamp

REPO = "/repos/acme/widgets"
INVALID = "Validation Failed"


@pytest.fixture
async def pull(github: LocalGitHub) -> PullRequest:
    base = await github.push("acme/widgets", {"a": "1\n"})
    await github.push("acme/widgets", {"b": "1\n"}, branch="topic", base=base)
    return await github.open_pull_request("acme/widgets", head="topic")


async def test_a_conversation_is_told(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver, clock: Clock, pull: PullRequest
) -> None:
    issue = await github.open_issue("acme/widgets", "Broken", "It is")
    assert (pull.number, issue.number) == (1, 2)
    clock.advance(minutes=1)
    github.member("acme", "ada")
    github.user = "ada"
    comment = await github.comment("acme/widgets", 1, "/kube-ci run")
    assert pull.updated_at == comment.created_at == clock.moment
    clock.advance(minutes=1)
    await github.edit_comment("acme/widgets", comment.id, "/kube-ci help")
    await github.comment("acme/widgets", 2, "Me too", by="mona")
    answer = (await http.post(f"{REPO}/issues/1/comments", json={"body": "Started"})).json()
    await http.patch(f"{REPO}/issues/comments/{answer['id']}", json={"body": "Done"})
    assert (await http.delete(f"{REPO}/issues/comments/{answer['id']}")).status_code == 204
    await github.settled()
    [opened] = receiver.named("issues", "opened")
    assert (opened["issue"]["title"], opened["issue"]["number"]) == ("Broken", 2)
    assert "pull_request" not in opened["issue"]
    told = [
        (
            body["action"],
            body["issue"]["number"],
            "pull_request" in body["issue"],
            body["comment"]["body"],
            body["sender"]["login"],
            body["comment"]["author_association"],
        )
        for body in receiver.named("issue_comment")
    ]
    assert told == [
        ("created", 1, True, "/kube-ci run", "ada", "MEMBER"),
        ("edited", 1, True, "/kube-ci help", "ada", "MEMBER"),
        ("created", 2, False, "Me too", "mona", "NONE"),
        ("created", 1, True, "Started", "kubeci-local[bot]", "NONE"),
        ("edited", 1, True, "Done", "kubeci-local[bot]", "NONE"),
        ("deleted", 1, True, "Done", "kubeci-local[bot]", "NONE"),
    ]
    created, edited, *_, gone = receiver.named("issue_comment")
    assert edited["changes"] == {"body": {"from": "/kube-ci run"}}
    assert created["comment"]["created_at"] == created["issue"]["updated_at"]
    assert created["installation"]["id"] == github.installation("acme/widgets").id
    assert created["issue"]["state"] == "open"
    assert gone["sender"]["type"] == "Bot"
    assert (created["issue"]["comments"], gone["issue"]["comments"]) == (1, 1)
    read = (await http.get(f"{REPO}/pulls/1")).json()
    assert (read["comments"], read["updated_at"]) == (1, gone["issue"]["updated_at"])


async def test_comments_are_read(github: LocalGitHub, http: httpx.AsyncClient, clock: Clock) -> None:
    await github.open_issue("acme/widgets", "Broken")
    for text in ("one", "two", "three"):
        await github.comment("acme/widgets", 1, text)
        clock.advance(minutes=1)
    at = f"{REPO}/issues/1/comments"
    page = await http.get(at, params={"per_page": 2})
    assert [each["body"] for each in page.json()] == ["one", "two"]
    assert 'rel="next"' in page.headers["link"]
    since = (await http.get(at)).json()[1]["updated_at"]
    assert [each["body"] for each in (await http.get(at, params={"since": since})).json()] == ["two", "three"]
    last = (await http.get(at)).json()[2]
    assert (await http.get(f"{REPO}/issues/comments/{last['id']}")).json() == last
    assert (await http.get(f"{REPO}/issues/1")).json()["comments"] == 3


async def test_a_reaction_is_there_once(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    await github.open_issue("acme/widgets", "Broken")
    comment = await github.comment("acme/widgets", 1, "/kube-ci run")
    for at in (f"{REPO}/issues/comments/{comment.id}", f"{REPO}/issues/1"):
        answers = [
            await http.post(f"{at}/reactions", json={"content": each}) for each in ("eyes", "eyes", "-1")
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 201]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["user"]["login"] == "kubeci-local[bot]"
        listed = (await http.get(f"{at}/reactions")).json()
        assert [each["content"] for each in listed] == ["eyes", "-1"]
        assert len((await http.get(f"{at}/reactions", params={"content": "eyes"})).json()) == 1
        rollup = (await http.get(at)).json()["reactions"]
        assert (rollup["total_count"], rollup["eyes"], rollup["heart"]) == (2, 1, 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/issues/1/comments", {"body": " "}, 422, INVALID),
        ("POST", "/issues/1/comments", {"body": "x" * 65_537}, 422, INVALID),
        ("POST", "/issues/1/comments", {"body": 1}, 422, "Invalid request."),
        ("POST", "/issues/1/comments", {}, 422, 'Invalid request.\n\n"body" wasn'),
        ("POST", "/issues/9/comments", {"body": "x"}, 404, "Not Found"),
        ("POST", "/issues/x/comments", {"body": "x"}, 404, "Not Found"),
        ("PATCH", "/issues/comments/9", {"body": "x"}, 404, "Not Found"),
        ("POST", "/issues/1/reactions", {"content": "tada"}, 422, INVALID),
        ("POST", "/issues/1/reactions", {"content": []}, 422, INVALID),
        ("POST", "/issues/1/reactions", {}, 422, "Invalid request."),
        ("POST", "/issues/comments/9/reactions", {"content": "eyes"}, 404, "Not Found"),
    ],
)
async def test_what_is_refused(
    github: LocalGitHub,
    http: httpx.AsyncClient,
    method: str,
    path: str,
    body: dict[str, Any],
    status: int,
    message: str,
) -> None:
    await github.open_issue("acme/widgets", "Broken")
    answer = await http.request(method, f"{REPO}{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(message)


@pytest.mark.parametrize(
    ("permissions", "on_pull", "on_issue"),
    [
        ({"issues": "write"}, 201, 201),
        ({"pull_requests": "write"}, 201, 403),
        ({"issues": "read", "contents": "write"}, 403, 403),
    ],
)
@pytest.mark.usefixtures("pull")
async def test_who_may_comment(
    github: LocalGitHub, http: httpx.AsyncClient, permissions: dict[str, str], on_pull: int, on_issue: int
) -> None:
    await github.open_issue("acme/widgets", "Broken")
    headers = {"authorization": f"Bearer {await token(github, permissions=permissions)}"}
    for number, status in ((1, on_pull), (2, on_issue)):
        answer = await http.post(f"{REPO}/issues/{number}/comments", json={"body": "x"}, headers=headers)
        assert answer.status_code == status
        if status == 403:
            assert answer.json()["message"] == "Resource not accessible by integration"


async def test_an_app_hears_what_it_may_read(
    github: LocalGitHub, receiver: Receiver, pull: PullRequest
) -> None:
    github.grant("acme", issues="", deployments="read")
    await github.open_issue("acme/widgets", "Broken")
    await github.comment("acme/widgets", pull.number, "Hello")
    await github.deploy("acme/widgets", "main")
    github.grant("acme", issues="read", deployments="")
    await github.comment("acme/widgets", 2, "Heard")
    await github.deploy("acme/widgets", "main")
    await github.settled()
    told = [name for name, _, _ in receiver.events if name.startswith(("issue", "deploy"))]
    assert told == ["deployment", "issue_comment"]


async def test_people_are_refused_too(github: LocalGitHub) -> None:
    await github.create_repository("acme/secret", private=True)
    await github.open_issue("acme/secret", "Hidden")
    await github.open_issue("acme/widgets", "Broken")
    comment = await github.comment("acme/widgets", 1, "Mine")
    for word, message in (
        (github.comment("acme/secret", 1, "x", by="stranger"), "stranger may not read"),
        (github.open_issue("acme/secret", "x", by="stranger"), "stranger may not read"),
        (github.edit_comment("acme/widgets", comment.id, "x", by="mona"), "mona may not change"),
        (github.delete_comment("acme/secret", comment.id), "has no comment"),
        (github.comment("acme/widgets", 2, "x"), "no issue or pull request 2"),
        (github.comment("acme/widgets", 1, ""), "cannot be blank"),
        (github.edit_comment("acme/widgets", comment.id, " "), "cannot be blank"),
        (github.open_issue("acme/widgets", " "), "needs a title"),
        (github.comment("acme/widgets", 1, "x" * 65_537), "at most"),
    ):
        with pytest.raises(ValueError, match=message):
            await word
    assert comment.body == "Mine"


async def test_a_push_moves_head_and_time_at_once(
    github: LocalGitHub, http: httpx.AsyncClient, clock: Clock, pull: PullRequest
) -> None:
    before = pull.head_sha, pull.updated_at
    clock.advance(minutes=1)
    sha = await github.push("acme/widgets", {"b": "2\n"}, branch="topic")
    assert (pull.head_sha, pull.updated_at) == (sha, clock.moment)
    assert before != (pull.head_sha, pull.updated_at)
    read = (await http.get(f"{REPO}/pulls/1")).json()
    assert read["head"]["sha"] == sha
    assert read["updated_at"] == clock.moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_reads_between_pushes_are_of_one_moment(
    github: LocalGitHub, http: httpx.AsyncClient, clock: Clock, pull: PullRequest
) -> None:
    moments = {(pull.head_sha, timestamp(pull.updated_at))}

    async def push() -> None:
        for number in range(5):
            clock.advance(seconds=10)
            sha = await github.push("acme/widgets", {"b": f"{number}\n"}, branch="topic")
            moments.add((sha, timestamp(clock.moment)))

    pushing = asyncio.create_task(push())
    seen = set()
    while not pushing.done():
        read = (await http.get(f"{REPO}/pulls/1")).json()
        seen.add((read["head"]["sha"], read["updated_at"]))
    await pushing
    assert seen <= moments
    assert len(seen) > 1
