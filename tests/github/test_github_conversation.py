from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubeci.errors import Forbidden, NotFound, UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.conversation import GitHubConversation
from kubeci.github.pulls import GitHubPullRequests
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.conversation import Post
from kubeci.model.repository import Repository

NAME = "acme/widgets"


@pytest.fixture
async def post(github: LocalGitHub, repository: Repository) -> Post:
    issue = await github.open_issue(NAME, "Help")
    comment = await github.comment(NAME, issue.number, "/kube-ci help")
    return Post(repository, issue.number, comment.id, "", comment.created_at, on_pull_request=False)


def said(github: LocalGitHub) -> list[str]:
    bot = f"{github.state.app.slug}[bot]"
    return [each.body for each in github.state.comments.values() if each.user.login == bot]


def given(github: LocalGitHub, subject: int) -> list[str]:
    return [each.content for each in github.state.reactions.get(subject, [])]


async def test_a_reaction_is_put_on_the_comment_once(github: LocalGitHub, app: GitHubApp, post: Post) -> None:
    github.faults.add(Fault("POST", "/reactions", status=502))
    for _ in range(2):
        await GitHubConversation(app).react(post, "+1")
    assert given(github, post.comment_id) == ["+1"]


async def test_a_reaction_to_an_issue_itself(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    issue = await github.open_issue(NAME, "Help", "/kube-ci help")
    post = Post(repository, issue.number, 0, "", issue.created_at, on_pull_request=False)
    await GitHubConversation(app).react(post, "confused")
    await GitHubConversation(app).reply(post, "Hello")
    assert given(github, issue.id) == ["confused"]
    assert len(said(github)) == 1


async def test_an_answer_that_was_lost_is_not_written_twice(
    github: LocalGitHub, app: GitHubApp, post: Post
) -> None:
    github.faults.add(Fault("POST", "/comments", status=502, after=True))
    conversation = GitHubConversation(app)
    with pytest.raises(UpstreamError) as raised:
        await conversation.reply(post, "Hello")
    assert raised.value.retryable
    await conversation.reply(post, "Hello")
    [text] = said(github)
    assert text.startswith("Hello\n")


async def test_a_mark_that_somebody_copied_does_not_silence_us(
    github: LocalGitHub, app: GitHubApp, post: Post
) -> None:
    await github.comment(NAME, post.number, f"<!-- kube-ci answers {post.comment_id} -->")
    await GitHubConversation(app).reply(post, "x" * 100_000)
    [text] = said(github)
    assert len(text) <= 65_536


@pytest.mark.parametrize("level", ["read", None])
async def test_without_the_permission_github_says_which(
    github: LocalGitHub, app: GitHubApp, post: Post, level: str | None
) -> None:
    permissions = github.installation(NAME).permissions
    for name in ("issues", "pull_requests"):
        permissions.pop(name, None)
        if level:
            permissions[name] = level
    for refused in (
        GitHubConversation(app).react(post, "+1"),
        GitHubConversation(app).reply(post, "Hello"),
    ):
        with pytest.raises(Forbidden, match=r"not accessible by integration.*permission"):
            await refused


async def opened(github: LocalGitHub, head: str = "feature") -> Any:
    await github.push(NAME, {"a": "1"})
    if ":" in head:
        await github.fork(NAME, "stranger")
        github.user = "stranger"
    sha = await github.push(head.partition(":")[0] if ":" in head else NAME, {"b": "2"}, branch="feature")
    return await github.open_pull_request(NAME, head=head, title="Mine"), sha


async def test_a_pull_request_is_read(github: LocalGitHub, app: GitHubApp, repository: Repository) -> None:
    pull, sha = await opened(github)
    read = await GitHubPullRequests(app).read(repository, pull.number)
    assert (read.number, read.title, read.open, read.draft) == (pull.number, "Mine", True, False)
    assert (read.head_sha, read.head_ref, read.head_repository, read.base_ref) == (
        sha,
        "feature",
        NAME,
        "main",
    )
    assert len(read.base_sha) == 40
    assert read.url.endswith(f"/pull/{pull.number}")
    assert abs((datetime.now(UTC) - read.updated_at).total_seconds()) < 60
    await github.close_pull_request(pull)
    assert not (await GitHubPullRequests(app).read(repository, pull.number)).open


async def test_a_pull_request_of_a_fork_names_it(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    pull, sha = await opened(github, "stranger/widgets:feature")
    read = await GitHubPullRequests(app).read(repository, pull.number)
    assert (read.head_sha, read.head_repository) == (sha, "stranger/widgets")


async def test_an_issue_is_no_pull_request(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    issue = await github.open_issue(NAME, "Help")
    with pytest.raises(NotFound):
        await GitHubPullRequests(app).read(repository, issue.number)
