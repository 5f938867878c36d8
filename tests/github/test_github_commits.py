from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from github_kit import PLAIN, Requests
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from kubeci.errors import Forbidden, NotFound, RateLimited, UpstreamError
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.commits import GitHubCommits
from kubeci.github.connection import Endpoint
from kubeci.local.github.repositories import Files, executable, submodule, symlink
from kubeci.local.github.server import LocalGitHub
from kubeci.local.serving import serving
from kubeci.model.repository import Commit, Repository
from kubeci.model.source import CommitSource, PullRequest

GRAPHQL = ("POST", "/graphql", 200)


@pytest.fixture
def commits(app: GitHubApp) -> GitHubCommits:
    return GitHubCommits(app)


async def pushed(
    github: LocalGitHub, commits: GitHubCommits, files: Files, path: str = ".kube-ci"
) -> CommitSource:
    sha = await github.push("acme/widgets", files, message="Subject\n\nBody")
    repository = Repository("acme", "widgets", github.installation("acme/widgets").id)
    return await commits.read(Commit(repository, sha), path)


async def test_one_request_reads_all_that_a_build_needs(
    github: LocalGitHub, commits: GitHubCommits, requests: Requests
) -> None:
    source = await pushed(
        github,
        commits,
        {
            "README.md": "not of the folder",
            ".kube-ci/ci.star": "workflow = None",
            ".kube-ci/run.sh": executable("exit"),
            ".kube-ci/lib/ä b.star": "ü",
            ".kube-ci/1/2/3/4/deep.star": "deep",
            ".kube-ci/empty": "",
        },
    )
    assert source.files == {
        "ci.star": "workflow = None",
        "run.sh": "exit",
        "lib/ä b.star": "ü",
        "1/2/3/4/deep.star": "deep",
        "empty": "",
    }
    assert source.message == "Subject\n\nBody"
    assert source.pull_requests == ()
    assert source.problems == ()
    assert [route for _, route, _ in requests].count("/graphql") == len(requests) - 1 == 1


async def test_what_is_kept_out_is_named(github: LocalGitHub, commits: GitHubCommits) -> None:
    source = await pushed(
        github,
        commits,
        {
            "secret": "outside",
            ".kube-ci/a.star": "a",
            ".kube-ci/link.star": symlink("a.star"),
            ".kube-ci/out": symlink("../secret"),
            ".kube-ci/absolute": symlink("/etc/passwd"),
            ".kube-ci/logo.png": b"\x89PNG\x00\xff",
            ".kube-ci/module": submodule("1" * 40),
            ".kube-ci/1/2/3/4/5/deep": "deeper",
        },
    )
    assert source.files == {"a.star": "a", "link.star": "a"}
    assert sorted(problem.partition(": ")[0] for problem in source.problems) == [
        "1/2/3/4/5/…",
        "absolute",
        "logo.png",
        "module",
        "out",
    ]


async def test_a_file_that_graphql_cuts_is_read_whole(
    github: LocalGitHub, commits: GitHubCommits, requests: Requests
) -> None:
    long = "ä" * 300_000
    source = await pushed(
        github,
        commits,
        {".kube-ci/long": long, ".kube-ci/longer": "x" * 1_000_001, ".kube-ci/latin": b"\xe4" * 600_000},
    )
    assert source.files == {"long": long}
    assert {problem.partition(": ")[0] for problem in source.problems} == {"latin", "longer"}
    assert requests.count(("GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", 200)) <= 2


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"README.md": "x"}, ".kube-ci"),
        ({".kube-ci": "a file"}, ".kube-ci"),
        ({".kube-ci": symlink("elsewhere"), "elsewhere/ci.yaml": ""}, ".kube-ci"),
        ({"a/b": "x"}, 'a" }'),
    ],
)
async def test_no_folder(github: LocalGitHub, commits: GitHubCommits, files: Files, path: str) -> None:
    source = await pushed(github, commits, files, path)
    assert source.files is None
    assert source.message


@pytest.mark.parametrize("path", ["deep/ci", "/deep/ci/", "with blank/ci:x"])
async def test_other_context_paths(github: LocalGitHub, commits: GitHubCommits, path: str) -> None:
    source = await pushed(github, commits, {f"{path.strip('/')}/ci.yaml": "a: b"}, path)
    assert source.files == {"ci.yaml": "a: b"}


async def test_open_pull_requests_that_the_commit_heads(
    github: LocalGitHub, commits: GitHubCommits, repository: Repository
) -> None:
    base = await github.push("acme/widgets", {"a": "1"})
    older = await github.push("acme/widgets", {"a": "2"}, branch="feature")
    sha = await github.push("acme/widgets", {"a": "3"}, branch="feature")
    opened = await github.open_pull_request("acme/widgets", head="feature", title="Better", draft=True)
    closed = await github.open_pull_request("acme/widgets", head="feature", title="Closed")
    closed.state = "closed"
    assert (await commits.read(Commit(repository, sha), ".kube-ci")).pull_requests == (
        PullRequest(
            number=opened.number,
            title="Better",
            url=f"{github.base_url}/acme/widgets/pull/{opened.number}",
            draft=True,
            base_ref="main",
            head_repository="acme/widgets",
            base_sha=base,
        ),
    )
    assert (await commits.read(Commit(repository, older), ".kube-ci")).pull_requests == ()


async def test_no_permission_for_pull_requests_is_a_problem_only(
    github: LocalGitHub, commits: GitHubCommits, repository: Repository
) -> None:
    sha = await github.push("acme/widgets", {".kube-ci/ci.yaml": "a"})
    github.installation("acme/widgets").permissions = {
        "metadata": "read",
        "contents": "read",
        "checks": "write",
    }
    source = await commits.read(Commit(repository, sha), ".kube-ci")
    assert source.files == {"ci.yaml": "a"}
    assert source.pull_requests == ()
    assert source.problems == (
        "the commit's pull requests cannot be read: the App lacks the permission pull_requests: read",
    )


async def test_no_permission_for_contents(
    github: LocalGitHub, commits: GitHubCommits, repository: Repository
) -> None:
    sha = await github.push("acme/widgets", {".kube-ci/ci.yaml": "a"})
    github.installation("acme/widgets").permissions = {"metadata": "read"}
    with pytest.raises(Forbidden):
        await commits.read(Commit(repository, sha), ".kube-ci")


async def test_a_commit_that_is_not_there(
    github: LocalGitHub, commits: GitHubCommits, repository: Repository
) -> None:
    await github.push("acme/widgets", {"a": "1"})
    with pytest.raises(NotFound):
        await commits.read(Commit(repository, "0" * 40), ".kube-ci")


async def answers(body: dict[str, Any]) -> AsyncIterator[str]:
    async def answer(request: HttpRequest) -> JSONResponse:
        if request.url.path.endswith("/access_tokens"):
            return JSONResponse({"token": "t", "expires_at": "2999-01-01T00:00:00Z"}, 201)
        return JSONResponse(body)

    async with serving(Starlette(routes=[Route("/{p:path}", answer, methods=["POST"])])) as url:
        yield url


def error(kind: str, *path: str, message: str = "no") -> dict[str, Any]:
    return {"type": kind, "path": list(path), "message": message}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": {"repository": None}, "errors": [error("NOT_FOUND", "repository")]}, NotFound),
        ({"errors": [error("RATE_LIMITED")]}, RateLimited),
        (
            {
                "data": {"repository": {"folder": None}},
                "errors": [error("FORBIDDEN", "repository", "folder")],
            },
            Forbidden,
        ),
        ({"data": None, "errors": [{"message": "Something went wrong"}]}, UpstreamError),
        ({"data": {"repository": None}}, UpstreamError),
        ({"data": None}, UpstreamError),
        ({}, UpstreamError),
        ([], UpstreamError),
    ],
    ids=str,
)
async def test_refusals(
    body: dict[str, Any], expected: type[UpstreamError], credentials: Credentials
) -> None:
    async for url in answers(body):
        async with GitHubApp(credentials, Endpoint(url, trust_env=False, tls=PLAIN, pauses=())) as app:
            with pytest.raises(UpstreamError) as caught:
                await GitHubCommits(app).read(Commit(Repository("a", "b", 1), "0" * 40), ".kube-ci")
    assert type(caught.value) is expected


async def test_tags(github: LocalGitHub, commits: GitHubCommits, repository: Repository, git: Any) -> None:
    sha = await github.push("acme/widgets", {"a": "1"})
    await git("tag", "light/1.0", sha)
    await git("tag", "-a", "-m", "x", "annotated", sha)
    await git("tag", "-a", "-m", "x", "twice", "annotated")
    await git("tag", "blob", f"{sha}:a")
    for tag in ("light/1.0", "annotated", "twice"):
        assert await commits.tag_commit(repository, tag) == sha
    for tag in ("blob", "nosuch", "light"):
        with pytest.raises(NotFound):
            await commits.tag_commit(repository, tag)
