from __future__ import annotations

from dataclasses import replace

import pytest
from github_kit import Requests

from kubeci.errors import Forbidden, Invalid, NotFound, UpstreamError
from kubeci.github.app import GitHubApp
from kubeci.github.deployments import GitHubDeployments
from kubeci.local.github.faults import Fault
from kubeci.local.github.server import LocalGitHub
from kubeci.model.deployment import Deployment, DeploymentState, DeploymentStatus
from kubeci.model.repository import Repository

STAGING = Deployment(
    ref="main",
    task="deploy",
    environment="staging",
    payload={"kube_ci": {"run": False, "workflow": "w", "node": "w-1"}},
)
OTHER_NODE = replace(STAGING, payload={"kube_ci": {"run": False, "workflow": "w", "node": "w-2"}})


@pytest.fixture
async def pushed(github: LocalGitHub) -> str:
    return await github.push("acme/widgets", {"README.md": "hello"})


@pytest.fixture
def deployments(app: GitHubApp, pushed: str) -> GitHubDeployments:
    assert pushed
    return GitHubDeployments(app)


async def test_create_find_and_tell(
    deployments: GitHubDeployments,
    repository: Repository,
    github: LocalGitHub,
    pushed: str,
    requests: Requests,
) -> None:
    assert await deployments.find(repository, STAGING) is None
    number = await deployments.create(repository, replace(STAGING, production=True, description="d" * 200))
    assert await deployments.find(repository, STAGING) == number
    status = DeploymentStatus(
        DeploymentState.SUCCESS, "http://argo/workflows/ci/w", "https://staging.example.com", "ä" * 200
    )
    await deployments.set_status(repository, number, status)
    made = github.state.deployments[number]
    assert (made.sha, made.wish.ref, made.wish.task, made.environment) == (
        pushed,
        "main",
        "deploy",
        "staging",
    )
    assert (made.production, made.wish.transient, made.wish.payload) == (True, False, STAGING.payload)
    (told,) = made.statuses
    assert (told.state, told.log_url, told.environment_url, told.description) == (
        "success",
        "http://argo/workflows/ci/w",
        "https://staging.example.com",
        "ä" * 140,
    )
    assert {route for _, route, _ in requests if "deployments" in route} == {
        "/repos/{owner}/{repo}/deployments",
        "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    }


async def test_the_last_success_ends_earlier_ones(
    deployments: GitHubDeployments, repository: Repository, github: LocalGitHub
) -> None:
    numbers = [await deployments.create(repository, each) for each in (STAGING, OTHER_NODE)]
    for number in numbers:
        await deployments.set_status(repository, number, DeploymentStatus(DeploymentState.SUCCESS))
    assert [github.state.deployments[number].state for number in numbers] == ["inactive", "success"]


async def test_a_commit_whose_checks_failed_is_deployed_all_the_same(
    deployments: GitHubDeployments, repository: Repository, pushed: str
) -> None:
    assert await deployments.create(repository, replace(STAGING, ref=pushed))


@pytest.mark.parametrize(
    "other",
    [
        OTHER_NODE,
        replace(STAGING, environment="production"),
        replace(STAGING, task="release"),
        replace(STAGING, payload={}),
    ],
)
async def test_find_tells_deployments_apart(
    deployments: GitHubDeployments, repository: Repository, other: Deployment
) -> None:
    await deployments.create(repository, STAGING)
    assert await deployments.find(repository, other) is None


async def test_find_looks_at_all_pages_and_gives_the_newest(
    deployments: GitHubDeployments, repository: Repository, github: LocalGitHub
) -> None:
    first = await deployments.create(repository, STAGING)
    for _ in range(101):
        await github.deploy("acme/widgets", "main", environment="staging", payload="text")
    assert await deployments.find(repository, STAGING) == first
    assert await deployments.find(repository, replace(STAGING, payload={"a": 1})) is None
    second = await deployments.create(repository, STAGING)
    assert await deployments.find(repository, STAGING) == second


async def test_a_payload_that_github_gives_as_text_is_the_same(
    deployments: GitHubDeployments, repository: Repository, github: LocalGitHub
) -> None:
    made = await github.deploy("acme/widgets", "main", environment="staging", payload='{"a": 1}')
    assert await deployments.find(repository, replace(STAGING, payload={"a": 1})) == made.id


async def test_a_creation_is_sent_once_and_found_again(
    deployments: GitHubDeployments, repository: Repository, github: LocalGitHub, requests: Requests
) -> None:
    github.faults.add(Fault("POST", "/deployments", status=502, after=True))
    with pytest.raises(UpstreamError) as caught:
        await deployments.create(repository, STAGING)
    assert caught.value.retryable
    assert [method for method, route, _ in requests if route.endswith("/deployments")] == ["POST"]
    assert await deployments.find(repository, STAGING) in github.state.deployments


async def test_an_answer_without_a_deployment_is_invalid(
    deployments: GitHubDeployments, repository: Repository, github: LocalGitHub
) -> None:
    github.faults.add(Fault("POST", "/deployments", status=202))
    with pytest.raises(Invalid, match="created no deployment"):
        await deployments.create(repository, STAGING)
    assert not github.state.deployments


async def test_an_unknown_ref_is_invalid(deployments: GitHubDeployments, repository: Repository) -> None:
    with pytest.raises(Invalid, match="No ref found for: gone"):
        await deployments.create(repository, replace(STAGING, ref="gone"))


async def test_addresses_that_are_none_of_the_web_are_left_out(
    deployments: GitHubDeployments, repository: Repository, github: LocalGitHub
) -> None:
    number = await deployments.create(repository, STAGING)
    status = DeploymentStatus(DeploymentState.FAILURE, "javascript:alert(1)", "ftp://example.com")
    await deployments.set_status(repository, number, status)
    (told,) = github.state.deployments[number].statuses
    assert (told.log_url, told.environment_url) == ("", "")


async def test_a_deployment_that_is_not_there(deployments: GitHubDeployments, repository: Repository) -> None:
    with pytest.raises(NotFound):
        await deployments.set_status(repository, 999_999, DeploymentStatus(DeploymentState.ERROR))


async def test_a_missing_permission_is_named(
    deployments: GitHubDeployments, repository: Repository, github: LocalGitHub
) -> None:
    github.installation("acme/widgets").permissions = {"metadata": "read", "contents": "read"}
    with pytest.raises(Forbidden, match="lacks the permission deployments: write") as caught:
        await deployments.create(repository, STAGING)
    assert not caught.value.retryable
