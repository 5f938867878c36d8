from __future__ import annotations

import pytest

from kubeci.errors import UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.people import REMEMBERED_SECONDS, GitHubPeople
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.repository import Repository


@pytest.mark.parametrize(
    ("role", "writes"),
    [("admin", True), ("maintain", True), ("write", True), ("triage", False), ("read", False)],
)
async def test_who_may_write(
    github: LocalGitHub, app: GitHubApp, repository: Repository, role: str, writes: bool
) -> None:
    github.collaborator("acme/widgets", "bob", role)  # type: ignore[arg-type]
    assert await GitHubPeople(app).may_write(repository, "bob") is writes


async def test_nobody_may_nothing(github: LocalGitHub, app: GitHubApp, repository: Repository) -> None:
    people = GitHubPeople(app)
    github.member("acme", "ada")
    assert not await people.may_write(repository, "nobody")
    assert not await people.is_member(repository, "nobody")
    assert not await people.is_member(repository, "../../user")
    assert await people.is_member(repository, "ada")


async def test_an_answer_is_remembered_for_minutes(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    github.collaborator("acme/widgets", "bob", "write")
    people = GitHubPeople(app)
    before = len(github.requests)
    for _ in range(5):
        assert await people.may_write(repository, "bob")
    asked = [each for each in list(github.requests)[before:] if "/collaborators/" in each.path]
    assert len(asked) == 1
    assert REMEMBERED_SECONDS <= 600


async def test_without_an_answer_nobody_is_trusted(
    github: LocalGitHub, app: GitHubApp, repository: Repository
) -> None:
    github.collaborator("acme/widgets", "bob", "write")
    github.faults.add(Fault("GET", "/collaborators/", status=500, times=9))
    with pytest.raises(UpstreamError) as raised:
        await GitHubPeople(app).may_write(repository, "bob")
    assert raised.value.retryable
