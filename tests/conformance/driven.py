"""The real server between a local GitHub and a local cluster, driven through what it does on GitHub."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt

from kubeci.errors import NotFound
from kubeci.github.app import Credentials, GitHubApp
from kubeci.github.checks import GitHubChecks
from kubeci.github.commits import GitHubCommits
from kubeci.github.connection import Endpoint
from kubeci.github.contents import GitHubContents
from kubeci.github.conversation import GitHubConversation
from kubeci.github.deployments import GitHubDeployments
from kubeci.github.heads import GitHubHeads
from kubeci.github.hook_deliveries import GitHubHookDeliveries
from kubeci.github.modules import GitHubModules
from kubeci.github.people import GitHubPeople
from kubeci.github.pulls import GitHubPullRequests
from kubeci.github.repositories import GitHubRepositories
from kubeci.local.examples import load_example
from kubeci.local.github.api import RecordedRequest
from kubeci.local.github.server import LocalGitHub
from kubeci.local.github.state import CheckRun
from kubeci.local.stack import LocalStack, local_stack
from kubeci.model.check_run import Action, Annotation, Conclusion, Status
from kubeci.model.check_run import CheckRun as Wanted
from kubeci.model.conversation import Post
from kubeci.model.deployment import Deployment, DeploymentState, DeploymentStatus
from kubeci.model.json import JsonObject
from kubeci.model.repository import Commit, Repository

REPOSITORY = "acme/widgets"
TAGGED = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {annotations: {kube-ci.qutics.com/runForTag: "true"}}
spec:
  entrypoint: ci
  templates: [{name: ci, container: {image: alpine, command: ["true"]}}]
"""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the local GitHub answers to a request."""

    request: RecordedRequest
    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Driven:
    """What went over the wire: all requests, an answer to each kind of them, and what was delivered."""

    requests: tuple[RecordedRequest, ...]
    answers: tuple[Answer, ...]
    deliveries: tuple[tuple[str, JsonObject], ...]


def drive(folder: Path) -> Driven:
    """Do everything once."""
    return asyncio.run(_drive(folder))


async def _drive(folder: Path) -> Driven:
    async with local_stack(folder) as stack:
        await stack.github.create_repository(REPOSITORY)
        await stack.github.create_repository("octocat/hello", owner_type="User", private=True)
        await _builds(stack)
        made = await _calls_of_the_adapters(stack)
        requests = tuple(stack.github.requests)
        answers = await _answers(stack.github, requests)
        deliveries = tuple((each.event, each.payload) for each in stack.github.deliveries.sent)
        deliveries += tuple(made)
    return Driven(requests, answers, deliveries)


async def _builds(stack: LocalStack) -> None:
    """Push what passes, what fails with annotations, what is wrong, a tag; ask for each again."""
    github = stack.github
    await github.push(REPOSITORY, load_example("matrix").files)
    await github.push(REPOSITORY, load_example("failing").files, branch="failing")
    await github.open_pull_request(REPOSITORY, head="failing")
    await github.push(REPOSITORY, {".kube-ci/ci.yaml": "spec: [\n"}, branch="broken")
    tagged = await github.push("octocat/hello", {".kube-ci/ci.yaml": TAGGED})
    await github.tag("octocat/hello", "v1/first", tagged, message="The first")
    await _until(lambda: _concluded(github, 5))
    await github.rerequest(max(github.state.runs))
    await _until(lambda: _concluded(github, 6))
    await github.rerequest_suite(min(github.state.suites))
    await _until(lambda: _concluded(github, 7))
    await github.settled()


def _concluded(github: LocalGitHub, count: int) -> bool:
    runs: list[CheckRun] = list(github.state.runs.values())
    return len(runs) >= count and all(run.status == "completed" for run in runs)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def _calls_of_the_adapters(stack: LocalStack) -> list[tuple[str, JsonObject]]:
    """Send what the server sends only at odd times: after a crash, for large files, with buttons."""
    github = stack.github
    large = {".kube-ci/ci.star": "# a long story\n" * 40_000}
    repository = Repository("acme", "widgets", github.installation(REPOSITORY).id)
    commit = Commit(repository, await github.push(REPOSITORY, large, branch="large"))
    await github.tag(REPOSITORY, "v2", commit.sha)
    credentials = Credentials(stack.options.app_id, stack.options.private_key)
    async with GitHubApp(credentials, Endpoint(github.api_url, trust_env=False)) as app:
        await _look_up_people(github, repository, GitHubPeople(app))
        commits, checks = GitHubCommits(app), GitHubChecks(app)
        await commits.read(commit, ".kube-ci")
        await GitHubModules(app).read(repository, REPOSITORY, "v2", ".kube-ci/ci.star")
        await commits.tag_commit(repository, "v2")
        with suppress(NotFound):
            await commits.tag_commit(repository, "no such tag/é")
        queued = Wanted("Workflow - all", Status.QUEUED, "Workflow Setup", "Creating workflow")
        number = await checks.create(commit, queued)
        await checks.find(commit, queued)
        full = replace(
            queued,
            status=Status.COMPLETED,
            conclusion=Conclusion.ACTION_REQUIRED,
            summary="ä" * 70_000,
            text="é" * 70_000,
            details_url="https://argo.example.com/workflows/ci/all",
            external_id="all",
            actions=(Action("Clear Cache " * 3, "delete the cache volume " * 3, "clearCache"),) * 4,
        )
        remarks = [
            Annotation(f"a file/ä{line}.go", line, "warning", "remark\n" * 40) for line in range(1, 51)
        ]
        await checks.update(repository, number, full, remarks)
        await checks.annotations_count(repository, number)
        await _talk(github, repository, app)
        await _deploy(repository, app)
        return await _sweep(app)


async def _sweep(app: GitHubApp) -> list[tuple[str, JsonObject]]:
    """Look for what was missed; gives the events that are made of it."""
    hook, heads = GitHubHookDeliveries(app), GitHubHeads(app)
    page = await hook.page(length=1)
    await hook.redeliver((await hook.page(page.older)).attempts[-1])
    made = []
    for installation in await heads.installations():
        for installed in await heads.repositories(installation):
            found = await heads.heads(installed.repository, LONG_AGO)
            assert found
            for each in found:
                for action in ("opened", "synchronize") if each.number else ("",):
                    event, payload = await heads.event(installed, each, action)
                    made.append((event, json.loads(payload)))
    assert {event for event, _ in made} == {"push", "pull_request"}
    return made


async def _talk(github: LocalGitHub, repository: Repository, app: GitHubApp) -> None:
    """Answer a comment and an issue's text, look at a pull request, write a file, find a repository by its name."""
    [pull] = github.state.pull_requests
    comment = await github.comment(REPOSITORY, pull.number, "/kube-ci help")
    issue = await github.open_issue(REPOSITORY, "It does not build")
    conversation = GitHubConversation(app)
    for number, comment_id in ((pull.number, comment.id), (issue.number, 0)):
        url, on_pull = f"https://x/{number}", number == pull.number
        post = Post(repository, number, comment_id, url, datetime.now(UTC), on_pull_request=on_pull)
        await conversation.react(post, "+1")
        await conversation.reply(post, "Done")
    await GitHubPullRequests(app).read(repository, pull.number)
    contents = GitHubContents(app)
    for text in ("one", "two", "two"):
        await contents.write(repository, "large", "docs/a file.md", text, "Write it")
    repositories = GitHubRepositories(app, default_installation=0)
    found = await repositories.find("acme", "widgets")
    await repositories.read(found)
    await GitHubCommits(app).resolve(repository, "heads/large")


async def _deploy(repository: Repository, app: GitHubApp) -> None:
    deployments = GitHubDeployments(app)
    wish = Deployment("large", "deploy", "staging", {"kube_ci": {"run": False}}, description="Try it")
    number = await deployments.create(repository, wish)
    assert await deployments.find(repository, wish) == number
    log_url, url = "https://argo.example.com/workflows/ci/all", "https://staging.example.com"
    await deployments.set_status(
        repository, number, DeploymentStatus(DeploymentState.SUCCESS, log_url, url, "It works " * 30)
    )


async def _look_up_people(github: LocalGitHub, repository: Repository, people: GitHubPeople) -> None:
    github.member("acme", "ada")
    github.collaborator(REPOSITORY, "bob", "maintain")
    github.collaborator(REPOSITORY, "cleo", "triage")
    writers = [
        login for login in ("ada", "bob", "cleo", "nobody") if await people.may_write(repository, login)
    ]
    members = [login for login in ("ada", "bob") if await people.is_member(repository, login)]
    assert (writers, members) == (["bob"], ["ada"])


def _is_refused_now(request: RecordedRequest) -> bool:
    """Say whether a request is refused by now: its check-run is completed, its file was written since."""
    return request.method == "PUT" or (request.method == "PATCH" and "conclusion" not in request.body)


async def _answers(github: LocalGitHub, requests: tuple[RecordedRequest, ...]) -> tuple[Answer, ...]:
    """Send each REST request that was answered well once more, and keep what comes back."""
    now = int(github.state.now().timestamp())
    claims = {"iat": now - 30, "exp": now + 300, "iss": str(github.app.id)}
    as_app = jwt.encode(claims, github.app.private_key or "", algorithm="RS256")
    tokens: dict[str, str] = {}
    found = []
    async with httpx.AsyncClient(trust_env=False, base_url=github.api_url) as client:
        for account in github.state.installations.values():
            answer = await client.post(
                f"/app/installations/{account.id}/access_tokens",
                headers={"authorization": f"Bearer {as_app}"},
            )
            tokens[account.account.login] = answer.json()["token"]
        for request in requests:
            if request.path == "/graphql" or _is_refused_now(request):
                continue
            by_app = request.path.startswith("/app/") or request.path.endswith("/installation")
            whole = request.path == "/installation/repositories"
            token = as_app if by_app else tokens["acme" if whole else request.path.split("/")[2]]
            answer = await client.request(
                request.method,
                request.path,
                params=httpx.QueryParams(request.query),
                json=request.body,
                headers={"authorization": f"Bearer {token}"},
            )
            found.append(Answer(request, answer.status_code, answer.json() if answer.content else None))
    return tuple(found)
