from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from github_kit import Requests

from kubeci.errors import Forbidden, Invalid, NotFound, RateLimited, UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.checks import GitHubChecks
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.check_run import Action, Annotation, CheckRun, Conclusion, Status
from kubeci.model.repository import Commit, Repository

QUEUED = CheckRun(
    name="Workflow - build",
    status=Status.QUEUED,
    title="Workflow Setup",
    summary="Creating workflow",
    details_url="http://argo/workflows/ci/build-1",
    external_id="build",
)
DONE = replace(
    QUEUED,
    status=Status.COMPLETED,
    conclusion=Conclusion.FAILURE,
    title="failed",
    text="the log",
    actions=(Action("Clear Cache", "delete the cache volume for this build", "clearCache"),),
)


@pytest.fixture
async def commit(github: LocalGitHub, repository: Repository) -> Commit:
    return Commit(repository, await github.push("acme/widgets", {"README.md": "hello"}))


@pytest.fixture
def checks(app: GitHubApp) -> GitHubChecks:
    return GitHubChecks(app)


async def test_create_find_update_and_annotate(
    checks: GitHubChecks, commit: Commit, github: LocalGitHub, requests: Requests
) -> None:
    assert await checks.find(commit, QUEUED) is None
    number = await checks.create(commit, QUEUED)
    assert await checks.find(commit, QUEUED) == number
    annotations = [Annotation("a.go", line, "warning", f"remark {line}") for line in range(1, 51)]
    await checks.update(commit.repository, number, replace(QUEUED, status=Status.IN_PROGRESS), annotations)
    await checks.update(commit.repository, number, DONE, annotations[:1])
    assert await checks.annotations_count(commit.repository, number) == 51
    run = next(run for run in github.state.runs.values() if run.id == number)
    assert (run.status, run.conclusion, run.external_id) == ("completed", "failure", "build")
    assert {route for _, route, _ in requests} == {
        "/app/installations/{installation_id}/access_tokens",
        "/repos/{owner}/{repo}/commits/{ref}/check-runs",
        "/repos/{owner}/{repo}/check-runs",
        "/repos/{owner}/{repo}/check-runs/{check_run_id}",
    }


async def test_find_tells_attempts_apart(checks: GitHubChecks, commit: Commit) -> None:
    again = replace(QUEUED, details_url="http://argo/workflows/ci/build-2")
    first, second = await checks.create(commit, QUEUED), await checks.create(commit, again)
    assert first != second
    assert await checks.find(commit, QUEUED) == first
    assert await checks.find(commit, again) == second
    assert await checks.find(commit, replace(QUEUED, name="Workflow - deploy")) is None


async def test_find_looks_at_all_pages(checks: GitHubChecks, commit: Commit, requests: Requests) -> None:
    first = await checks.create(commit, QUEUED)
    others = (replace(QUEUED, details_url=f"{QUEUED.details_url}{number}") for number in range(101))
    await asyncio.gather(*(checks.create(commit, other) for other in others))
    assert await checks.find(commit, QUEUED) == first
    assert sum(method == "GET" for method, _, _ in requests) == 2


async def test_a_lost_answer_is_found_again(
    checks: GitHubChecks, commit: Commit, github: LocalGitHub
) -> None:
    github.faults.add(Fault("POST", "/check-runs", status=502, after=True))
    with pytest.raises(UpstreamError) as caught:
        await checks.create(commit, QUEUED)
    assert caught.value.retryable
    assert await checks.find(commit, QUEUED)


async def test_annotations_are_never_sent_twice(
    checks: GitHubChecks, commit: Commit, github: LocalGitHub
) -> None:
    number = await checks.create(commit, QUEUED)
    github.faults.add(Fault("PATCH", "/check-runs", status=502, after=True))
    await checks.update(commit.repository, number, DONE)
    github.faults.add(Fault("PATCH", "/check-runs", status=502, after=True))
    with pytest.raises(UpstreamError):
        await checks.update(commit.repository, number, DONE, [Annotation("a", 1, "notice", "x")])
    assert await checks.annotations_count(commit.repository, number) == 1


async def test_what_github_would_refuse_is_cut(checks: GitHubChecks, commit: Commit) -> None:
    long = replace(
        DONE,
        title="t" * 300,
        summary="ä" * 40_000,
        text="é" * 65_535 + "\udc80",
        actions=(Action("l" * 21, "d" * 41, "i" * 21),) * 4,
    )
    number = await checks.create(commit, long)
    await checks.update(commit.repository, number, long, [Annotation("a", 1, "notice", "ö" * 40_000)])


async def test_more_than_fifty_annotations_are_invalid(checks: GitHubChecks, commit: Commit) -> None:
    with pytest.raises(Invalid, match="50 annotations"):
        await checks.update(commit.repository, 1, QUEUED, [Annotation("a", 1, "notice", "x")] * 51)


async def test_a_check_run_that_is_not_there(checks: GitHubChecks, commit: Commit) -> None:
    with pytest.raises(NotFound):
        await checks.update(commit.repository, 999_999, QUEUED)


async def test_a_missing_permission_is_named(
    checks: GitHubChecks, commit: Commit, github: LocalGitHub
) -> None:
    github.installation("acme/widgets").permissions = {"metadata": "read", "contents": "read"}
    with pytest.raises(Forbidden, match="lacks the permission checks: write") as caught:
        await checks.create(commit, QUEUED)
    assert not caught.value.retryable


@pytest.mark.parametrize("told", [True, False])
async def test_a_secondary_limit_holds_back(
    checks: GitHubChecks,
    commit: Commit,
    github: LocalGitHub,
    told: bool,
) -> None:
    github.limits.content_per_minute = 0
    github.limits.send_retry_after = told
    with pytest.raises(RateLimited) as caught:
        await checks.create(commit, QUEUED)
    assert caught.value.retry_after == 60.0


async def test_budget(checks: GitHubChecks, commit: Commit) -> None:
    assert checks.budget(commit.repository).remaining == 5000
    await checks.find(commit, QUEUED)
    assert checks.budget(commit.repository).remaining == 4999
