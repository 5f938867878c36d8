from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from local_github_kit import Receiver, token

from kubeci.local.github.git import GitError, git
from kubeci.local.github.server import LocalGitHub

REPO = "/repos/acme/widgets"
READ_ONLY = "Repository was archived so is read-only."


def text(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


async def put(http: httpx.AsyncClient, path: str, **body: Any) -> httpx.Response:
    wanted = {"message": "Write it", "content": text("new\n"), **body}
    wanted = {key: value for key, value in wanted.items() if value is not None}
    return await http.put(f"{REPO}/contents/{path}", json=wanted)


async def test_a_file_is_written_by_a_push(
    github: LocalGitHub, http: httpx.AsyncClient, receiver: Receiver
) -> None:
    before = await github.push("acme/widgets", {"a": "1\n"})
    author = {"name": "Ada", "email": "ada@example.com", "date": "2026-01-02T03:04:05+01:00"}
    answer = await put(http, ".kube-ci/ci.yaml", author=author)
    assert answer.status_code == 201
    commit, content = answer.json()["commit"], answer.json()["content"]
    assert commit["parents"][0]["sha"] == before
    assert commit["author"] == {**author, "date": "2026-01-02T02:04:05Z"}
    assert (commit["committer"]["name"], commit["message"]) == ("kubeci-local[bot]", "Write it")
    assert (content["path"], content["name"], content["size"]) == (".kube-ci/ci.yaml", "ci.yaml", 4)
    read = (await http.get(f"{REPO}/contents/.kube-ci/ci.yaml")).json()
    assert (read["sha"], base64.b64decode(read["content"])) == (content["sha"], b"new\n")
    again = await put(
        http, ".kube-ci/ci.yaml", content=text("newer\n"), sha=read["sha"], committer={**author, "name": "Bo"}
    )
    assert again.status_code == 200
    named = [again.json()["commit"][role]["name"] for role in ("author", "committer")]
    assert named == ["Bo", "Bo"]
    await github.settled()
    push = receiver.named("push")[-1]
    assert (push["ref"], push["after"]) == ("refs/heads/main", again.json()["commit"]["sha"])
    assert (push["sender"]["login"], push["sender"]["type"]) == ("kubeci-local[bot]", "Bot")
    assert push["commits"][0]["modified"] == [".kube-ci/ci.yaml"]
    assert receiver.named("check_suite", "requested")[-1]["check_suite"]["head_sha"] == push["after"]


async def test_the_first_file_of_a_repository(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    assert (await put(http, "a", branch="topic")).status_code == 404
    assert (await put(http, "a")).status_code == 201
    assert (await http.get(f"{REPO}/branches/main")).status_code == 200
    assert github.deliveries.sent[0].event == "create"


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("a", {}, 422, 'Invalid request.\n\n"sha" wasn\'t supplied.'),
        ("a", {"sha": "0" * 40}, 409, f"a does not match {'0' * 40}"),
        ("a", {"branch": "nowhere"}, 404, "Branch nowhere not found"),
        ("a", {"message": None}, 422, 'Invalid request.\n\n"message" wasn'),
        ("a", {"content": None}, 422, 'Invalid request.\n\n"content" wasn'),
        ("a", {"content": "no base64!"}, 422, "content is not valid Base64"),
        ("a", {"content": 1}, 422, "Invalid request.\n\nFor 'properties/content'"),
        ("new", {"author": {"name": "Ada"}}, 422, "Invalid request.\n\nFor 'properties/author'"),
        (
            "new",
            {"author": {"name": "A\nB", "email": "x"}},
            422,
            "Invalid request.\n\nFor 'properties/author'",
        ),
        ("new", {"committer": "Ada"}, 422, "Invalid request.\n\nFor 'properties/committer'"),
        (
            "new",
            {"committer": {"name": "A", "email": "x", "date": "soon"}},
            422,
            "Invalid request.\n\nFor 'properties/committer'",
        ),
        ("dir", {}, 422, "Invalid request.\n\ndir is a directory."),
        ("a/b", {}, 422, "Invalid request.\n\na is not a directory."),
        ("dir/%2e%2e/x", {}, 422, "Validation Failed"),
        (".git/config", {}, 422, "Validation Failed"),
        ("new", {"sha": "0" * 40}, 201, ""),
    ],
)
async def test_what_is_not_written(
    github: LocalGitHub, http: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, message: str
) -> None:
    before = await github.push("acme/widgets", {"a": "1\n", "dir/b": "1\n"})
    answer = await put(http, path, **body)
    assert answer.status_code == status
    assert answer.json().get("message", "").startswith(message)
    after = (await http.get(f"{REPO}/commits/main")).json()["sha"]
    assert (after == before) == (status != 201)


async def test_writing_needs_its_permission(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    await github.push("acme/widgets", {"a": "1\n"})
    http.headers["authorization"] = f"Bearer {await token(github, permissions={'contents': 'read'})}"
    answer = await put(http, "b")
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")


async def test_branches_and_tags_go(github: LocalGitHub, receiver: Receiver) -> None:
    sha = await github.push("acme/widgets", {"a": "1\n"})
    await github.push("acme/widgets", {"b": "1\n"}, branch="topic/x")
    await github.tag("acme/widgets", "v1", sha)
    await github.delete_branch("acme/widgets", "topic/x")
    await github.delete_tag("acme/widgets", "v1")
    await github.settled()
    told = [(body["ref"], body["ref_type"]) for body in receiver.named("delete")]
    assert told == [("topic/x", "branch"), ("v1", "tag")]
    gone = [body["ref"] for body in receiver.named("push") if body["deleted"]]
    assert gone == ["refs/heads/topic/x", "refs/tags/v1"]
    with pytest.raises(ValueError, match="is the default branch"):
        await github.delete_branch("acme/widgets", "main")
    for word in (github.delete_branch, github.delete_tag):
        with pytest.raises(ValueError, match="acme/widgets has no refs/"):
            await word("acme/widgets", "topic/x")


async def test_an_archived_repository_is_read_only(github: LocalGitHub, http: httpx.AsyncClient) -> None:
    sha = await github.push("acme/widgets", {"a": "1\n"})
    await github.push("acme/widgets", {"b": "1\n"}, branch="topic")
    pull = await github.open_pull_request("acme/widgets", head="topic")
    comment = await github.comment("acme/widgets", 1, "Hello")
    body = {"name": "x", "head_sha": sha, "conclusion": "success"}
    run = (await http.post(f"{REPO}/check-runs", json=body)).json()
    github.archive("acme/widgets")
    for method, path, wanted in (
        ("PUT", "/contents/b", {"message": "x", "content": ""}),
        ("POST", "/check-runs", body),
        ("PATCH", f"/check-runs/{run['id']}", {"name": "y"}),
        ("POST", "/issues/1/comments", {"body": "x"}),
        ("POST", f"/issues/comments/{comment.id}/reactions", {"content": "eyes"}),
        ("POST", "/deployments", {"ref": "main"}),
    ):
        answer = await http.request(method, REPO + path, json=wanted)
        assert (answer.status_code, answer.json()["message"]) == (403, READ_ONLY), path
    assert (await http.get(f"{REPO}/issues/1/comments")).status_code == 200
    for word in (
        github.push("acme/widgets", {"a": "2"}),
        github.tag("acme/widgets", "v1", sha),
        github.delete_branch("acme/widgets", "topic"),
        github.comment("acme/widgets", 1, "x"),
        github.open_issue("acme/widgets", "x"),
        github.deploy("acme/widgets", "main"),
        github.merge_pull_request(pull),
        github.rerequest(run["id"]),
    ):
        with pytest.raises(ValueError, match="was archived so is read-only"):
            await word
    page = f"{github.base_url}/acme/widgets"
    assert (await http.post(f"{page}/runs/{run['id']}/rerequest")).status_code == 422
    folder = (await github.create_repository("acme/widgets")).path
    with pytest.raises(GitError, match="403"):
        await git(folder, "push", f"{page}.git", f"{sha}:refs/heads/other")
    github.unarchive("acme/widgets")
    await github.push("acme/widgets", {"a": "2"})
