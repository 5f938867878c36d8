from __future__ import annotations

import pytest

from kubeci.errors import Conflict, Forbidden, Invalid, NotFound
from kubeci.github.app import GitHubApp
from kubeci.github.commits import GitHubCommits
from kubeci.github.contents import GitHubContents
from kubeci.github.repositories import GitHubRepositories
from kubeci.local.github import git
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.repository import Repository

NAME = "acme/widgets"
PATH = ".kube-ci/ci.yaml"


async def at(github: LocalGitHub, branch: str) -> str:
    found = github.state.repository(NAME)
    assert found is not None
    return (await git.refs(found.path, "refs/heads/"))[f"refs/heads/{branch}"]


async def file_of(github: LocalGitHub, branch: str, path: str) -> tuple[str, str]:
    """Give a file's text and the message of the commit that a branch stands at."""
    found = github.state.repository(NAME)
    assert found is not None
    async with git.objects(found.path) as objects:
        blob, commit = await objects.get(f"{branch}:{path}"), await objects.get(branch)
    assert blob is not None
    assert commit is not None
    return blob.content.decode(), commit.content.decode().partition("\n\n")[2].strip()


@pytest.mark.parametrize("branch", ["main", "feature/x"])
async def test_a_file_is_written_once(
    github: LocalGitHub, app: GitHubApp, repository: Repository, branch: str
) -> None:
    await github.push(NAME, {"a": "1"}, branch=branch)
    contents = GitHubContents(app)
    assert await contents.write(repository, branch, PATH, "one: ü\n", "Set up")
    assert await file_of(github, branch, PATH) == ("one: ü\n", "Set up")
    before = await at(github, branch)
    assert not await contents.write(repository, branch, PATH, "one: ü\n", "Set up again")
    assert await at(github, branch) == before
    assert await contents.write(repository, branch, PATH, "two: 2\n", "Change")
    assert await file_of(github, branch, PATH) == ("two: 2\n", "Change")


async def test_a_conflict_is_tried_once_more(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    await github.push(NAME, {PATH: "old"})
    contents = GitHubContents(app)
    github.faults.add(Fault("PUT", "/contents/", status=409))
    assert await contents.write(repository, "main", PATH, "new", "Set up")
    assert (await file_of(github, "main", PATH))[0] == "new"
    github.faults.add(Fault("PUT", "/contents/", status=409, times=2))
    with pytest.raises(Conflict):
        await contents.write(repository, "main", PATH, "newer", "Set up")


async def test_what_cannot_be_written(github: LocalGitHub, app: GitHubApp, repository: Repository) -> None:
    await github.push(NAME, {"dir/a": "1"})
    contents = GitHubContents(app)
    with pytest.raises(NotFound):
        await contents.write(repository, "nowhere", PATH, "x", "m")
    with pytest.raises(Invalid):
        await contents.write(repository, "main", "dir", "x", "m")


async def test_without_the_permission_nothing_is_written(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    await github.push(NAME, {"a": "1"})
    github.installation(NAME).permissions["contents"] = "read"
    with pytest.raises(Forbidden, match=r"not accessible by integration.*contents: write"):
        await GitHubContents(app).write(repository, "main", PATH, "x", "m")


async def test_a_ref_is_resolved(github: LocalGitHub, app: GitHubApp, repository: Repository) -> None:
    commits = GitHubCommits(app)
    with pytest.raises(NotFound):
        await commits.resolve(repository, "heads/main")
    sha = await github.push(NAME, {"a": "1"})
    other = await github.push(NAME, {"a": "2"}, branch="feature/x")
    await github.tag(NAME, "v1", sha)
    for ref, expected in [("heads/main", sha), ("heads/feature/x", other), ("tags/v1", sha), (sha, sha)]:
        assert await commits.resolve(repository, ref) == expected
    assert await commits.resolve(repository, other[:10]) == other
    for ref in ("heads/v1", "tags/main", "0" * 40, "../../..", "x y"):
        with pytest.raises(NotFound):
            await commits.resolve(repository, ref)


async def test_a_repository_is_found_by_name(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    repositories = GitHubRepositories(app)
    assert await repositories.find("ACME", "Widgets") == repository
    assert (await repositories.read(repository))["full_name"] == NAME
    with pytest.raises(NotFound):
        await repositories.find("acme", "nothing")
    await github.fork(NAME, "stranger")
    with pytest.raises(NotFound):
        await repositories.find("stranger", "widgets")


async def test_the_default_installation_reaches_its_owners_repositories_alone(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    repositories = GitHubRepositories(app, default_installation=repository.installation_id)
    await github.fork(NAME, "stranger")
    before = len(github.requests)
    with pytest.raises(NotFound):
        await repositories.find("stranger", "widgets")
    assert [each.path for each in list(github.requests)[before:] if "access_tokens" in each.path] == []
    github.faults.add(Fault("GET", "/widgets/installation", status=404))
    assert await repositories.find("acme", "widgets") == repository
    with pytest.raises(NotFound):
        await repositories.find("acme", "nothing")
