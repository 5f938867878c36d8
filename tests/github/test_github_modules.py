from __future__ import annotations

import pytest
from github_kit import Requests

from kubeci.errors import Invalid, NotFound
from kubeci.github.app import GitHubApp
from kubeci.github.modules import GitHubModules
from kubeci.local.github.server import LocalGitHub
from kubeci.model.module import ModuleFile
from kubeci.model.repository import Repository

LIBRARY = "acme/lib"


@pytest.fixture
def modules(app: GitHubApp) -> GitHubModules:
    return GitHubModules(app)


@pytest.fixture
async def sha(github: LocalGitHub) -> str:
    await github.create_repository(LIBRARY, private=True)
    await github.push(
        LIBRARY, {"dir/a b.star": "ä = 1", "logo.png": b"\x89PNG\x00", "empty": "", "big": "x" * 1_000_001}
    )
    return await github.push(LIBRARY, {"new.star": "new"})


async def test_a_file_at_any_revision(
    github: LocalGitHub, modules: GitHubModules, repository: Repository, sha: str
) -> None:
    await github.tag(LIBRARY, "v1", sha)
    await github.tag(LIBRARY, "v2", sha, message="annotated")
    other = await github.push(LIBRARY, {"new.star": "of a branch"}, branch="feature/x")
    for revision in ("", "main", "v1", "v2", "refs/heads/main", sha):
        assert await modules.read(repository, LIBRARY, revision, "new.star") == ModuleFile("new", sha)
    assert await modules.read(repository, LIBRARY, "feature/x", "new.star") == ModuleFile(
        "of a branch", other
    )
    assert (await modules.read(repository, "Acme/Lib", "", "dir/a b.star")).text == "ä = 1"
    assert (await modules.read(repository, LIBRARY, "", "empty")).text == ""


async def test_one_request_a_file_and_none_at_a_known_sha(
    modules: GitHubModules, repository: Repository, sha: str, requests: Requests
) -> None:
    found = await modules.read(repository, LIBRARY, "main", "new.star")
    assert [route for _, route, _ in requests] == [
        "/app/installations/{installation_id}/access_tokens",
        "/graphql",
    ]
    assert await modules.read(repository, LIBRARY, sha, "new.star") == found
    assert len(requests) == 2
    await modules.read(repository, LIBRARY, "main", "new.star")
    assert len(requests) == 3, "a branch may have moved"


async def test_the_token_reads_one_repository_and_nothing_else(
    github: LocalGitHub, modules: GitHubModules, repository: Repository, sha: str
) -> None:
    await modules.read(repository, LIBRARY, sha, "new.star")
    found = github.state.repository(LIBRARY)
    assert found is not None
    (token,) = github.state.tokens.values()
    assert token.repositories == frozenset({found.id})
    assert set(token.permissions) <= {"contents", "metadata"}
    assert token.permissions["contents"] == "read"


@pytest.mark.parametrize(
    ("full_name", "revision", "path", "reason"),
    [
        (LIBRARY, "", "none.star", "acme/lib has no file `none.star` at "),
        (LIBRARY, "", "dir", "acme/lib has no file `dir` at "),
        (LIBRARY, "v9", "new.star", "acme/lib has no branch, tag or commit `v9`"),
        (LIBRARY, "1" * 40, "new.star", "acme/lib has no branch, tag or commit `1111"),
        ("acme/none", "", "new.star", "acme/none is not there, or the App may not read it"),
        ("other/lib", "", "new.star", "other/lib is not reached by the App's installation for acme"),
    ],
)
@pytest.mark.usefixtures("sha")
async def test_what_is_not_there(
    modules: GitHubModules, repository: Repository, full_name: str, revision: str, path: str, reason: str
) -> None:
    with pytest.raises(NotFound) as caught:
        await modules.read(repository, full_name, revision, path)
    assert str(caught.value).startswith(reason)


@pytest.mark.usefixtures("sha")
async def test_a_repository_that_the_app_was_not_given(
    github: LocalGitHub, modules: GitHubModules, repository: Repository
) -> None:
    own = github.state.repository("acme/widgets")
    assert own is not None
    github.installation("acme/widgets").repositories = {own.id}
    with pytest.raises(NotFound, match="acme/lib is not there, or the App may not read it"):
        await modules.read(repository, LIBRARY, "", "new.star")


@pytest.mark.parametrize(("path", "reason"), [("logo.png", "is binary"), ("big", "has 1,000,001 bytes")])
@pytest.mark.usefixtures("sha")
async def test_what_is_no_module(
    modules: GitHubModules, repository: Repository, path: str, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        await modules.read(repository, LIBRARY, "", path)


async def test_the_cache_is_bounded(
    modules: GitHubModules, repository: Repository, sha: str, requests: Requests
) -> None:
    modules._cache._limit = 600
    await modules.read(repository, LIBRARY, sha, "new.star")
    await modules.read(repository, LIBRARY, sha, "empty")
    asked = len(requests)
    await modules.read(repository, LIBRARY, sha, "empty")
    assert len(requests) == asked
    await modules.read(repository, LIBRARY, sha, "new.star")
    assert len(requests) == asked + 1
